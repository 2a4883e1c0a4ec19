"""Beside a program that trains: in front of the engine, and around every optimizer step."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from autograd_inspect.autograd._torch import (
    hide_from_compilers,
    in_backward,
    in_capture,
    is_tracing,
    patch_engine,
    unseen,
)
from autograd_inspect.model.training import Step
from autograd_inspect.run.stop import Stop
from autograd_inspect.tracing.frames import Scope, scopes_at
from autograd_inspect.training.ledger import EARLY, Ledger, clock
from autograd_inspect.training.shown import ShownValues

Engine = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """How long to watch: after so many steps the program is stopped, or goes on unwatched."""

    steps: int
    keep_running: bool = False


@dataclass(slots=True, eq=False)
class Observer:
    """Hands what happens to the ledger, once and in order, and keeps our errors to ourselves.

    show       is given each step, as it happens
    tell       is given what the user should know while the program runs
    conclude   is called after the last step wanted, with the program's variables still there
    trouble    an error of ours, kept so that it never surfaces inside the user's program
    """

    wish: Wish
    ledger: Ledger
    values: ShownValues
    show: Callable[[Step, Ledger], None]
    tell: Callable[[str], None]
    conclude: Callable[[Sequence[Scope]], None]
    is_over: bool = False
    stopped: bool = False
    trouble: BaseException | None = None
    _stepping: dict[int, int] = field(default_factory=dict)
    _swallowed: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self) -> Callable[[], None]:
        """Take our places; gives what leaves them again."""
        hide_from_compilers(__name__.partition(".")[0])
        before = register_optimizer_step_pre_hook(self._before_step)
        after = register_optimizer_step_post_hook(self._after_step)
        ends = [
            patch_engine(self._around),
            self.ledger.scaling.start(),
            before.remove,
            after.remove,
        ]

        def end() -> None:
            for one in ends:
                one()

        return end

    def _around(self, engine: Engine) -> Engine:
        def run_backward(*arguments: Any, **options: Any) -> Any:
            if self.is_over or not options.get("accumulate_grad", True):
                self._notice_that_it_goes_on()
                return engine(*arguments, **options)
            # Checkpointing and other hooks start backwards inside a backward, and compilers start
            # them on tensors without numbers: not the program's.
            if in_backward() or is_tracing(arguments[0]) or in_capture():
                return engine(*arguments, **options)
            frame = sys._getframe(1)
            self._step_by_hand(frame)
            with self._quietly():
                self.ledger.before_backward(arguments[0], frame)
            return self._run(lambda: engine(*arguments, **options), frame)

        return run_backward

    def _run(self, engine: Callable[[], Any], frame: FrameType) -> Any:
        error, began = None, clock()
        try:
            return engine()
        except Exception as raised:
            error = raised
            raise
        finally:
            self.ledger.after_backward(clock() - began, error)
            if error is None and self.ledger.may_step_by_hand:
                with self._quietly():
                    self.values.before(frame)
                    self.ledger.look_at_leaves(frame)

    def _step_by_hand(self, frame: FrameType) -> None:
        step = None
        with self._quietly():
            step = self.ledger.step_by_hand()
        if step is not None:
            self._end_step(step, frame)

    def _before_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self.is_over:
            self._notice_that_it_goes_on()
            return
        frame = sys._getframe(1)
        outer = self._stepping.get(threading.get_ident())
        if (outer is not None and _is_within(outer, frame)) or in_capture():
            return  # an optimizer inside of another: the outer one's step is the program's
        self._stepping[threading.get_ident()] = id(frame)
        found_inf = getattr(optimizer, "found_inf", None)
        with self._quietly():
            if found_inf is not None and float(found_inf):
                del self._stepping[threading.get_ident()]
                return  # it will do nothing, for a GradScaler said so
            self.values.before(frame)
            self.ledger.before_step(optimizer, frame)

    def _after_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        frame = sys._getframe(1)
        if self.is_over or id(frame) != self._stepping.get(threading.get_ident()):
            return
        del self._stepping[threading.get_ident()]
        step = None
        with self._quietly():
            step = self.ledger.after_step(optimizer)
        self._end_step(step, frame)

    def _end_step(self, step: Step | None, frame: FrameType) -> None:
        with self._quietly():
            self.values.after(frame)
            if self.ledger.seen == EARLY:
                with scopes_at(frame) as scopes:
                    self.ledger.note_held(scopes)
            if step is not None:
                self.show(step, self.ledger)
        self.ledger.begin_next()
        if self.ledger.seen >= self.wish.steps or self.trouble is not None:
            self._finish(frame)

    def _finish(self, frame: FrameType) -> None:
        self.is_over = True
        with self._quietly(), scopes_at(frame) as scopes:
            self.conclude(scopes)
        main = threading.current_thread() is threading.main_thread()
        if main and not self.wish.keep_running:
            self.stopped = True
            raise Stop

    def _notice_that_it_goes_on(self) -> None:
        if self.stopped and not self._swallowed:
            self._swallowed = True
            self.tell(
                "the program caught the stop after the last step and runs on; --keep-running says "
                "that it may"
            )

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Measure on our own time, so that the program sees nothing of it, not even our errors."""
        began = clock()
        with self._lock:
            try:
                with unseen():
                    yield
            except Exception as error:  # noqa: BLE001 - the user's program must not see it
                self.trouble = self.trouble or error
        self.ledger.since.own += clock() - began


def _is_within(outer: int, frame: FrameType | None) -> bool:
    while frame is not None:
        if id(frame) == outer:
            return True
        frame = frame.f_back
    return False
