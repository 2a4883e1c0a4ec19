"""All watches over one program at once, and the facts that they make together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from autograd_inspect.autograd._torch import next_sequence, patch_engine
from autograd_inspect.autograd.custom_checks import check_calls
from autograd_inspect.checking.failure import failure_of
from autograd_inspect.checking.keeping import Keeping
from autograd_inspect.checking.learners import Learners
from autograd_inspect.checking.live import Describer
from autograd_inspect.checking.observing import observed_by, variables_of
from autograd_inspect.checking.witness import Witness
from autograd_inspect.model.capture import About, Capture
from autograd_inspect.model.facts import Event, EventKind, Facts, Learner
from autograd_inspect.model.gradcheck import FunctionCheck, Gradcheck
from autograd_inspect.model.places import Place
from autograd_inspect.model.training import Training
from autograd_inspect.recording.recorder import Recorder
from autograd_inspect.run.files import relative_to
from autograd_inspect.run.ranks import current_rank
from autograd_inspect.run.stop import Stop
from autograd_inspect.run.target import Target
from autograd_inspect.tracing.frames import Scope, calling_frame, line_at, scopes_at, scopes_from
from autograd_inspect.tracing.moment import Moment, Scene
from autograd_inspect.tracing.names import find_names
from autograd_inspect.training.ledger import Ledger
from autograd_inspect.training.naming import variable_holding
from autograd_inspect.training.observer import Observer, Wish
from autograd_inspect.training.report import report
from autograd_inspect.training.shown import ShownValues

#: Backward calls for each step wanted, after which a program with an optimizer is stopped, too.
_ACCUMULATED = 16


class Watches:
    """The recorder, the witness of backwards and the observer of steps, over one program."""

    def __init__(
        self, target: Target, start: Path, steps: int, tell: Callable[[str], None]
    ) -> None:
        self.start = start
        self.steps = steps
        self.recorder = Recorder(watch=True, custom=True)
        about = About(target=target.text, arguments=target.arguments, rank=current_rank())
        self.scene = Scene(start, self.recorder, optimizers=False)  # the recorder sees them made
        self.describer = Describer(start, self.recorder)
        self.keeping = Keeping(self.describer)
        self.ledger = Ledger("group", start)
        self.witness = Witness(
            self.scene,
            self.recorder,
            about,
            self.describer,
            self._after_backward,
            self.ledger.scaling.is_scaled,
        )
        self.observer = Observer(
            Wish(steps),
            self.ledger,
            ShownValues([]),
            show=lambda *_: None,
            tell=tell,
            conclude=self._conclude,
        )
        self._facts: Facts | None = None
        self._since_step = 0

    @property
    def trouble(self) -> BaseException | None:
        """An error of ours, kept so that it never surfaced inside the user's program."""
        return self.witness.trouble or self.observer.trouble

    def begin(self) -> Callable[[], None]:
        """Take all places around the program; gives what leaves them again."""
        steps = register_optimizer_step_post_hook(self._after_step)
        self.ledger.scaling.unscales = lambda optimizer: self.witness.note(
            Event(EventKind.UNSCALE, "unscale_", None, optimizer=_key_of(optimizer))
        )
        flow = self.recorder.flow
        if flow is not None:
            flow.on_write = self.witness.deeds.wrote
            flow.overwriting.variables = variables_of
        ends = [
            steps.remove,
            self.witness.modules.ties.begin(),
            self.observer.begin(),
            patch_engine(lambda engine: self.witness.in_front_of(self.recorder.around(engine))),
            self.recorder.stop,
        ]
        self.recorder.start()

        def end() -> None:
            for one in reversed(ends):
                one()

        return end

    def facts(self, scopes: Sequence[Scope], error: BaseException | None) -> Facts:
        """Put together what was seen, unless that was done when the program was stopped."""
        self._look_no_more()
        with self.recorder.looking_away():
            if self._facts is None or error is not None:
                self._gather(scopes)
            assert self._facts is not None
            if error is None:
                return self._facts
            if self.witness.failed < 0:
                self._capture_cuts(scopes)
            failure = failure_of(error, self.describer)
            capture = self._failed_capture(error)
            unused = self.witness.unused if capture >= 0 else ()
            failure = replace(failure, capture=capture, unused=unused)
            captures = tuple(self.witness.captures)
            return replace(self._facts, failure=failure, captures=captures)

    def _after_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Note a step, before anybody may stop the program after it."""
        if self.witness.is_over:
            return
        self._since_step = 0
        frame = calling_frame()
        place = line_at(frame, self.start)
        name = variable_holding(optimizer, scopes_from(frame))
        name = name or type(optimizer).__name__
        self.witness.deeds.step(optimizer, name, place)
        self.witness.note(Event(EventKind.STEP, name, place, optimizer=_key_of(optimizer)))
        self.describer.ends.append(next_sequence())
        if self.keeping.is_due():
            with self.recorder.looking_away(), scopes_at(frame) as scopes:
                self.keeping.look(scopes)

    def _after_backward(self) -> None:
        """Stop a program that calls backward again and again, and steps rarely or never."""
        self._since_step += 1
        stepping = len(list(self.ledger.optimizers)) > 0
        if self._since_step < self.steps * (_ACCUMULATED if stepping else 1):
            return
        if self.ledger.may_step_by_hand and self.ledger.seen:
            return  # the observer counts these steps
        self._conclude(scopes_from(calling_frame()))
        if threading.current_thread() is threading.main_thread():
            self.observer.stopped = True
            raise Stop

    def _conclude(self, scopes: Sequence[Scope]) -> None:
        self._look_no_more()
        with self.recorder.looking_away():
            self._gather(scopes)

    def _look_no_more(self) -> None:
        """Take no backward for the program's from now on: to check custom Functions runs some."""
        self.witness.is_over = self.observer.is_over = True

    def _gather(self, scopes: Sequence[Scope]) -> None:
        if not self.witness.captures:
            self._capture_cuts(scopes)
        self.witness.add_later_cuts()
        self._facts = Facts(
            start=str(self.start),
            captures=tuple(self.witness.captures),
            events=tuple(self.witness.events),
            training=self._training(scopes),
            gradcheck=self._gradcheck(),
            learners=self._learners(scopes),
            grad_off=not torch.is_grad_enabled(),
            held=self.keeping.all(scopes),
            contexts=self.witness.contexts.left(),
            gradients=self.describer.describe(self._with_graph(scopes)),
            observed=observed_by(self.witness, self.ledger),
        )

    def _learners(self, scopes: Sequence[Scope]) -> tuple[Learner, ...]:
        lives = self.recorder.lives
        if lives is None:
            return ()
        named = find_names(scopes, [])
        lives.name(named.by_id, named.parameters.values(), named.kept)
        stepped = [one.optimizer() for one in self.ledger.optimizers]
        return Learners(self.describer, scopes, stepped).of(lives)

    def _training(self, scopes: Sequence[Scope]) -> Training | None:
        if not (self.ledger.seen or self.ledger.calls):
            return None
        return report(self.ledger, ShownValues([]), scopes)

    def _gradcheck(self) -> Gradcheck | None:
        custom = self.recorder.custom
        if custom is None:
            return None
        checks: list[FunctionCheck] = []
        for number, capture in enumerate(self.witness.captures):
            calls = [call for call, where in self.witness.custom if where == number]
            checks += check_calls(calls, capture.graph, second=None)
        ignored = tuple(
            (f"{kind.__name__}.backward", Place(relative_to(file, self.start), line, "backward"))
            for kind, (file, line) in custom.ignored.items()
        )
        if not checks and not ignored:
            return None
        return Gradcheck(tuple(checks), len(self.witness.custom), custom.dropped, ignored)

    def _with_graph(self, scopes: Sequence[Scope]) -> Iterator[tuple[str, torch.Tensor]]:
        """Give the gradients that have a graph of their own, of whatever leaf backward led to."""
        parameters = find_names(scopes, []).parameters
        leaves: dict[int, tuple[str, torch.Tensor]]
        leaves = {id(one): (name, one) for name, one in parameters.items()}
        for life in self.recorder.lives or ():
            leaf = life.tensor()
            if leaf is not None and leaf.is_leaf:
                leaves.setdefault(id(leaf), (life.name or "a leaf", leaf))
        for name, leaf in leaves.values():
            if leaf.grad is not None and leaf.grad.requires_grad:
                yield f"{name}.grad", leaf.grad

    def _capture_cuts(self, scopes: Sequence[Scope]) -> None:
        """Capture the cuts where no graph was captured, or the program died outside of backward."""
        if self.recorder.saw_cuts:
            moment = Moment.seize([], scopes, self.witness.about, self.scene)
            moment.note(error="")
            with suppress(Exception):
                self.witness.captures.append(_partial(moment.develop()))

    def _failed_capture(self, error: BaseException) -> int:
        """Give the number of the capture whose backward raised this error, -1 for none."""
        number = self.witness.failed
        if number < 0:
            return -1
        told = self.witness.captures[number].about.error
        return number if told == f"{type(error).__name__}: {error}" else -1


def _partial(capture: Capture) -> Capture:
    return replace(capture, about=replace(capture.about, partial="no backward call"))


def _key_of(optimizer: torch.optim.Optimizer) -> int:
    """Give a number to an optimizer, by its first parameter: one that wraps another is the same."""
    return next((id(one) for group in optimizer.param_groups for one in group["params"]), 0)
