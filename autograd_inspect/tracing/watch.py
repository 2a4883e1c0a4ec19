"""Deciding, at each backward the program starts, whether this is the one to capture."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

import torch

from autograd_inspect.autograd._torch import in_backward, is_tracing, made_by
from autograd_inspect.autograd.structure import leads_to
from autograd_inspect.autograd.walker import gradient_edge
from autograd_inspect.errors import AgiError
from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.recording.recorder import Record
from autograd_inspect.run.stop import Stop
from autograd_inspect.tracing.expression import Expression, graph_names, tensors_in
from autograd_inspect.tracing.frames import Scope, calling_frame, scopes_from, user_place
from autograd_inspect.tracing.moment import (
    Moment,
    NamedRoot,
    Retained,
    Root,
    Scene,
    pass_backward,
    starting_gradients,
)
from autograd_inspect.tracing.profiling import aside, timed

Engine = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants captured, and what is to happen then.

    step          the how-manieth match
    keep_running  let the program go on after the capture
    retain        names of intermediate tensors whose gradients to keep
    backward      run a backward of our own where the program does not
    grad_output   EXPR for the gradient of a root that is no scalar
    on_signal     capture only when a signal has asked for it, each time anew
    curves        keep the values of one-dimensional leaves and of what is made of them
    """

    expression: Expression | None = None
    step: int = 1
    keep_running: bool = False
    retain: tuple[str, ...] = ()
    backward: bool = True
    grad_output: Expression | None = None
    on_signal: bool = False
    curves: bool = False


@dataclass(frozen=True, slots=True)
class BackwardCall:
    """One call of the engine, in the words of `torch.autograd`."""

    roots: tuple[Root, ...]
    inputs: tuple[Root, ...]
    accumulates: bool
    scopes: list[Scope]

    @classmethod
    def read(cls, arguments: Sequence[Any], options: Any, frame: FrameType) -> BackwardCall:
        """Read the engine's arguments: roots, gradients, retain, create, inputs; then options."""
        inputs = arguments[4] if len(arguments) > 4 else ()
        accumulates = bool(options.get("accumulate_grad", True))
        return cls(tuple(arguments[0]), tuple(inputs), accumulates, scopes_from(frame))

    @property
    def name(self) -> str:
        """What the user wrote to start it."""
        return "backward" if self.accumulates else "autograd.grad"


@dataclass(slots=True)
class Watch:
    """Stands in front of the engine for the whole run.

    take       is given each capture, at once
    tell       is given what the user should know while the program runs
    calls      backward calls the program has made itself
    matches    those that fitted the wish
    trouble    an error of ours, kept so that it never surfaces inside the user's program
    swallowed  the program caught our `Stop` and went on
    latest     the last capture that was taken with a record of the program
    graphless  roots of the latest backward that had no graph
    """

    wish: Wish
    scene: Scene
    about: About
    take: Callable[[Capture], None]
    tell: Callable[[str], None] = lambda _: None
    calls: int = 0
    matches: int = 0
    taken: int = 0
    armed: bool = True
    stopped: bool = False
    swallowed: bool = False
    trouble: BaseException | None = None
    graphless: list[torch.Tensor] = field(default_factory=list)
    latest: tuple[Capture, Record] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.armed = not self.wish.on_signal

    def in_front_of(self, engine: Engine) -> Engine:
        """Make the function that replaces the engine."""

        def run_backward(*arguments: Any, **options: Any) -> Any:
            # Checkpointing and other hooks start backwards inside a backward, and compilers start
            # them on tensors without numbers: not the program's.
            if in_backward() or is_tracing(arguments[0]) or not self._lock.acquire(blocking=False):
                return engine(*arguments, **options)
            try:
                with aside(self.scene.profiling):
                    occasion = self._consider(arguments, options, calling_frame())
            finally:
                self._lock.release()
            if occasion is None:
                result = engine(*arguments, **options)
                self._profile_from_here()
                return result
            return self._run(*occasion, lambda: engine(*arguments, **options))

        return run_backward

    def _profile_from_here(self) -> None:
        """Begin to time, if the next match is the one to capture."""
        if self.scene.profiling is not None and not self.taken:
            try:
                self.scene.profiling.begin_after(self.matches)
            except Exception as error:  # noqa: BLE001 - the user's program must not see it
                self.trouble = error

    def _consider(
        self, arguments: Sequence[Any], options: Any, frame: FrameType
    ) -> tuple[Moment, BackwardCall] | None:
        """Capture the moment if this call is the one."""
        self.calls += 1
        if self.stopped and not self.swallowed:
            self.swallowed = True
            self.tell(
                "the program caught the stop after the capture and runs on; --keep-running says "
                "that it may"
            )
        if not self.armed or self.trouble is not None:
            return None
        try:
            with self._looking_away():
                return self._seize(BackwardCall.read(arguments, options, frame))
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error
            return None

    def _seize(self, call: BackwardCall) -> tuple[Moment, BackwardCall] | None:
        roots = self._roots_wanted(call)
        tensors = [root for root in call.roots if isinstance(root, torch.Tensor)]
        self.graphless = [root for root in tensors if not root.requires_grad]
        self.matches += bool(roots)
        if not roots or self.matches < self.wish.step:
            return None
        about = replace(self.about, call=call.name, number=self.calls)
        moment = Moment.seize(roots, call.scopes, about, self.scene)
        if self.wish.curves:
            moment.keep_curves()
        if self.wish.expression is None and not call.accumulates:
            moment.note("this is a call of autograd.grad; :EXPR or --step N captures another")
        if self._starts_elsewhere(roots, call):
            moment.note(
                f"{call.name} was called on a tensor computed from {_listed(roots)}; the "
                "gradients are those of that call"
            )
        return moment, call

    def _roots_wanted(self, call: BackwardCall) -> list[NamedRoot]:
        """Give the tensors to trace at this call; none if it is not the one."""
        expression = self.wish.expression
        if expression is None:
            return named_roots(call)
        for scope in call.scopes:
            if not expression.is_place and not expression.is_local_to(scope):
                continue
            found = tensors_in(expression.value_or_none(scope))
            roots: list[NamedRoot] = [
                (expression.name_of(path), tensor)
                for path, tensor in found.items()
                if made_by(tensor) is not None
            ]
            if roots and (not expression.is_place or _belongs_to(roots, call)):
                return roots
        if self.calls == 1:
            self._say_if_unknown(expression, call)
        return []

    def _say_if_unknown(self, expression: Expression, call: BackwardCall) -> None:
        """Say at once what would otherwise come out after hours of training: a mistyped name."""
        if any(expression.resolves_in(scope) for scope in call.scopes):
            if not expression.is_place:
                self.tell(f"{expression.text} is computed when the program ends")
            return
        place = user_place(call.scopes, self.scene.start)
        names = [name for scope in call.scopes for name in graph_names(scope.variables)]
        known = f" (tensors with a graph there: {', '.join(dict.fromkeys(names))})" if names else ""
        self.tell(
            f"no {expression.text} at the first backward call, {place}{known}; "
            "waiting for a later one"
        )

    def _starts_elsewhere(self, roots: Sequence[NamedRoot], call: BackwardCall) -> bool:
        """Tell whether the call starts at something computed from what EXPR names."""
        if self.wish.expression is None or not self.wish.expression.is_place:
            return False
        starts = {id(root) for root in call.roots}
        return not all(id(root) in starts for _, root in roots)

    def _run(self, moment: Moment, call: BackwardCall, engine: Callable[[], Any]) -> Any:
        """Run the program's backward and take the capture; then stop the program if so wished."""
        self.armed = False
        try:
            with self._looking_away(), aside(self.scene.profiling):
                retained = moment.retain(self.wish.retain, call.scopes)
            if self._is_computed():
                self._pass_our_backward(moment, call)
        except AgiError as error:
            self.trouble = error
            self._stop()
            return engine()
        if self._is_computed():
            self._take(moment, retained)
            self._stop()
            return engine()
        if self.wish.grad_output is not None:
            self.tell(
                "--grad-output is not used: the program ran a backward of its own, with the "
                "gradient that it chose"
            )
        try:
            with moment.probes, timed(self.scene.profiling, moment.walked):
                result = engine()
        except BaseException as error:
            moment.arrivals.backward = Backward.FAILED
            moment.note(error=f"{type(error).__name__}: {error}")
            self._take(moment, retained)
            raise
        moment.arrivals.record(call.inputs, None if call.accumulates else result)
        self._take(moment, retained)
        self._stop()
        return result

    def _is_computed(self) -> bool:
        """Tell whether EXPR has just made the root, at which no backward of the program starts."""
        return self.wish.expression is not None and not self.wish.expression.is_place

    def _pass_our_backward(self, moment: Moment, call: BackwardCall) -> None:
        if self.wish.backward:
            # The lock keeps ours from being taken for one of the program's.
            with self._lock, self._looking_away():
                gradients = self._start(moment, call)
                with timed(self.scene.profiling, moment.walked):
                    pass_backward(moment, gradients)

    def _start(self, moment: Moment, call: BackwardCall) -> list[torch.Tensor] | None:
        return starting_gradients(self.wish.grad_output, call.scopes, moment.root_names)

    def _take(self, moment: Moment, retained: Retained) -> None:
        self.taken += 1
        with self._looking_away(), aside(self.scene.profiling):
            self._develop(moment, retained)

    def _develop(self, moment: Moment, retained: Retained) -> None:
        try:
            moment.arrivals.retained = retained.close()
            if self.scene.profiling is not None:
                self.scene.profiling.end()
            capture = moment.develop()
            self.latest = (capture, moment.record) if moment.record else None
            self.take(capture)
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error

    def capture_with_later_cuts(self) -> Capture | None:
        """Give the last capture with the cuts that came after it; None where none did."""
        if self.latest is None:
            return None
        capture, record = self.latest
        graph = record.with_later_cuts()
        if graph.cut_table.times.sum() == capture.graph.cut_table.times.sum():
            return None
        return replace(capture, graph=graph)

    def _looking_away(self) -> AbstractContextManager[None]:
        """Keep what we compute ourselves out of what is recorded of the program."""
        recorder = self.scene.recorder
        return recorder.looking_away() if recorder else nullcontext()

    def _stop(self) -> None:
        """Unwind the program, unless it is to go on or another thread than its first called."""
        main = threading.current_thread() is threading.main_thread()
        if main and not self.wish.keep_running:
            self.stopped = True
            raise Stop


def named_roots(call: BackwardCall) -> list[NamedRoot]:
    """Name the roots of a call by the variables that hold them; one without a graph is none."""
    return [
        (next(_variables_holding(root, call.scopes), ""), root)
        for root in call.roots
        if not isinstance(root, torch.Tensor) or root.requires_grad
    ]


def _variables_holding(root: Root, scopes: Sequence[Scope]) -> Iterator[str]:
    for scope in scopes:
        for name, value in list(scope.variables.items()):
            if value is root:
                yield name


def _listed(roots: Sequence[NamedRoot]) -> str:
    return ", ".join(name for name, _ in roots)


def _belongs_to(roots: Sequence[NamedRoot], call: BackwardCall) -> bool:
    """Tell whether a call starts at one of these roots, or at something computed from them."""
    starts = [gradient_edge(root).node for root in call.roots]
    return leads_to(starts, [gradient_edge(root).node for _, root in roots])
