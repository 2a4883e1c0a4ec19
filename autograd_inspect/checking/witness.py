"""In front of the engine for a whole run: captures of the backwards that have something to tell."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import torch

from autograd_inspect.autograd._torch import (
    in_backward,
    in_capture,
    is_tracing,
    next_sequence,
    sequence_of,
)
from autograd_inspect.autograd.rerunning import CustomCall
from autograd_inspect.autograd.structure import release_safely
from autograd_inspect.autograd.walker import gradient_edge
from autograd_inspect.checking.contexts import Contexts
from autograd_inspect.checking.deeds import Deeds
from autograd_inspect.checking.live import Describer
from autograd_inspect.checking.modules import Modules
from autograd_inspect.checking.spoiling import (
    Spoiled,
    Unseen,
    chain_of,
    hidden_writes,
    spoiled_roots,
)
from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.model.facts import Event, EventKind, LiveTensor
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.observed import Hidden, Spoil
from autograd_inspect.model.places import Place
from autograd_inspect.recording.recorder import Record, Recorder
from autograd_inspect.tracing.frames import calling_frame, line_at
from autograd_inspect.tracing.moment import Moment, Scene
from autograd_inspect.tracing.watch import BackwardCall, named_roots

Engine = Callable[..., Any]

#: Captures kept of each line that calls backward, and of all lines together.
_OF_EACH, _OF_ALL = 3, 24
#: Captures kept beyond these, of gradients that are not finite.
_NONFINITE = 2
#: Backward calls that are probed.
_PROBED = 64
#: Events kept.
_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class Occasion:
    """One backward call, before it runs.

    spoiled  which of its losses are not finite
    hidden   what it saved and was written to since
    """

    moment: Moment
    call: BackwardCall
    spoiled: tuple[Spoiled, ...]
    hidden: tuple[Unseen, ...]


@dataclass(slots=True, eq=False)
class Witness:
    """Captures the first backward calls of each line, those that fail, and those that make NaN.

    captures  in order
    events    backward calls, in order, among those that others note
    contexts  the ctx of custom Functions that backward went through
    custom    calls of custom Functions, with the capture that their nodes are in
    hidden    writes that no version shows
    spoils    where values that were not finite came from
    deeds     what is done to gradients
    modules   what the program's modules share
    is_scaled tells whether a root is a loss that a GradScaler has scaled
    failed    the number of the capture whose backward raised last, -1 for none
    called    is told of each backward call once it is over, or has raised
    unused    what the last call that raised asked for, and its graph does not lead to
    trouble   an error of ours, kept so that it never surfaces inside the user's program
    """

    scene: Scene
    recorder: Recorder
    about: About
    describer: Describer
    called: Callable[[], None] = lambda: None
    is_scaled: Callable[[Any], bool] = lambda _: False
    captures: list[Capture] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    custom: list[tuple[CustomCall, int]] = field(default_factory=list)
    spoils: list[Spoil] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    deeds: Deeds = field(init=False)
    modules: Modules = field(init=False)
    calls: int = 0
    failed: int = -1
    contexts: Contexts = field(default_factory=Contexts)
    is_over: bool = False
    unused: tuple[LiveTensor, ...] = ()
    trouble: BaseException | None = None
    _sites: Counter[Place | None] = field(default_factory=Counter)
    _nonfinite: int = 0
    _latest: tuple[int, Record] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make what looks on."""
        self.deeds = Deeds(self.scene.start, self.note)
        self.modules = Modules(self.scene.start)

    def in_front_of(self, engine: Engine) -> Engine:
        """Make the function that replaces the engine."""

        def run_backward(*arguments: Any, **options: Any) -> Any:
            if self.is_over or in_backward() or is_tracing(arguments[0]) or in_capture():
                return engine(*arguments, **options)
            if not self._lock.acquire(blocking=False):
                return engine(*arguments, **options)
            try:
                occasion = self._prepare(arguments, options, calling_frame())
            finally:
                self._lock.release()
            if occasion is None:
                result = engine(*arguments, **options)
            else:
                result = self._run(occasion, lambda: engine(*arguments, **options))
            self.called()
            return result

        return run_backward

    def note(self, event: Event) -> None:
        """Write down what the program did just now; what it does to many tensors at once, once."""
        latest = self.events[-1] if self.events else None
        of_many = event.kind in {EventKind.RESCALE, EventKind.UNSCALE}
        same = latest is not None and replace(latest, sequence=event.sequence) == event
        if len(self.events) < _EVENTS and not (of_many and same):
            self.events.append(replace(event, sequence=next_sequence()))

    def add_later_cuts(self) -> None:
        """Put into the last capture the cuts that came after it."""
        if self._latest is not None:
            place, record = self._latest
            capture = self.captures[place]
            self.captures[place] = replace(capture, graph=record.with_later_cuts())

    def _prepare(self, arguments: Sequence[Any], options: Any, frame: Any) -> Occasion | None:
        """Walk the graph before the backward frees it."""
        self.calls += 1
        try:
            with self.recorder.looking_away():
                place = line_at(frame, self.scene.start)
                call = BackwardCall.read(arguments, options, frame)
                roots = named_roots(call)
                name = ", ".join(name for name, _ in roots if name)
                scaled = any(map(self.is_scaled, call.roots))
                event = _event(call, arguments, name, place, self.calls)
                self.note(replace(event, scaled=scaled))
                if self.calls > _PROBED or self.trouble is not None:
                    return None
                about = replace(self.about, call=call.name, number=self.calls, place=place)
                lost = [one for one in call.roots if _has_no_graph(one)]
                moment = Moment.seize(roots, call.scopes, about, self._scene_at(place), lost)
                self._note_missed(moment, call, frame)
                self.contexts.note(moment.walked.nodes, self.calls)
                self.modules.look(call.scopes)
                if call.accumulates:
                    self.deeds.before_backward(moment.walked, place)
                flow, start = self.recorder.flow, self.scene.start
                spoiled = spoiled_roots(flow, call.roots, moment.root_names, start)
                return Occasion(moment, call, spoiled, hidden_writes(flow, moment.walked, start))
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error
            return None

    def _scene_at(self, place: Place | None) -> Scene:
        """Measure the calls of a line that are to be kept closely, and of the others the norms."""
        is_known = self._sites[place] >= _OF_EACH
        return replace(self.scene, probe=Probe.NORMS) if is_known else self.scene

    def _run(self, occasion: Occasion, engine: Callable[[], Any]) -> Any:
        moment, call = occasion.moment, occasion.call
        try:
            with moment.probes:
                result = engine()
        except BaseException as error:
            moment.arrivals.backward = Backward.FAILED
            moment.note(error=f"{type(error).__name__}: {error}")
            self._keep(occasion, failed=True)
            self._note_unused(moment, call)
            raise
        moment.arrivals.record(call.inputs, None if call.accumulates else result)
        self._note_lives(moment, call)
        self._keep(occasion, failed=False)
        return result

    def _note_missed(self, moment: Moment, call: BackwardCall, frame: Any) -> None:
        """Write down the tensors whose derivative is asked for, and that the graph has not got."""
        lives = self.recorder.lives
        if lives is None or call.accumulates:
            return
        roots = [sequence_of(root.grad_fn) for root in call.roots if isinstance(root, torch.Tensor)]
        for one in call.inputs:
            if isinstance(one, torch.Tensor) and moment.walked.node_of(one) < 0:
                lives.missed(one, frame, roots)
                lives.name(moment.named.by_id, (), {})

    def _note_lives(self, moment: Moment, call: BackwardCall) -> None:
        """Write down which leaves this backward led to, and what the program calls them."""
        lives = self.recorder.lives
        if lives is None:
            return
        asked = set(map(id, call.inputs))
        with self.recorder.looking_away():
            leaves = moment.walked.leaves
            lives.reached(one for one in leaves if not asked or id(one) in asked)
            named = moment.named
            lives.name(named.by_id, named.parameters.values(), named.kept)

    def _keep(self, occasion: Occasion, *, failed: bool) -> None:
        moment = occasion.moment
        with self.recorder.looking_away():
            try:
                if occasion.call.accumulates and not failed:
                    self.deeds.after_backward(moment.walked.leaves, moment.about.place)
                if failed or self._is_news(occasion):
                    self._develop(occasion)
                    self.failed = len(self.captures) - 1 if failed else self.failed
                else:
                    release_safely(moment.walked.structure)
            except Exception as error:  # noqa: BLE001 - the user's program must not see it
                self.trouble = error

    def _note_unused(self, moment: Moment, call: BackwardCall) -> None:
        with self.recorder.looking_away():
            try:
                index = moment.walked.structure.index
                asked = [one for one in call.inputs if isinstance(one, torch.Tensor)]
                unused = [
                    one
                    for one in asked
                    if not one.requires_grad or gradient_edge(one).node not in index
                ]
                names = ((moment.named.by_id.get(id(one), ""), one) for one in unused)
                self.unused = self.describer.describe(names)
            except Exception as error:  # noqa: BLE001 - the user's program must not see it
                self.trouble = error

    def _is_news(self, occasion: Occasion) -> bool:
        """Tell whether a backward that went well is to be kept."""
        moment = occasion.moment
        place = moment.about.place
        self._sites[place] += 1
        if self._sites[place] <= _OF_EACH and len(self.captures) < _OF_ALL:
            return True
        odd = moment.probes.saw_nonfinite or bool(occasion.spoiled)
        self._nonfinite += odd
        return odd and self._nonfinite <= _NONFINITE

    def _develop(self, occasion: Occasion) -> None:
        moment = occasion.moment
        known = {(call.function, call.twice) for call, _ in self.custom}
        found = self.recorder.custom.found if self.recorder.custom is not None else []
        self.captures.append(moment.develop())
        number = len(self.captures) - 1
        self.spoils += [Spoil(number, -1, name, chain) for name, chain in occasion.spoiled]
        self.hidden += [Hidden(number, *one) for one in occasion.hidden]
        born = self.recorder.flow.values.born if self.recorder.flow is not None else {}
        self.spoils += [
            Spoil(number, row, "", chain_of(born[address], self.scene.start))
            for row, address in moment.probes.suspects.items()
            if address in born
        ]
        # A copy: the node may be in a later graph, too, under another number.
        # Once as they are, and once where their backward is differentiated itself.
        self.custom += [
            (copy(call), number)
            for call in found
            if (call.function, True) not in known and (call.function, call.twice) not in known
        ]
        self._latest = (number, moment.record) if moment.record is not None else None


def _has_no_graph(root: object) -> TypeGuard[torch.Tensor]:
    """Tell of a root that no operation made, whether it was told to require grad or not."""
    return isinstance(root, torch.Tensor) and root.grad_fn is None


def _event(
    call: BackwardCall, arguments: Sequence[Any], name: str, place: Place | None, number: int
) -> Event:
    """Describe a call of the engine: roots, gradients, retain, create, inputs."""
    kind = EventKind.BACKWARD if call.accumulates else EventKind.GRAD
    retains, creates = (bool(one) for one in arguments[2:4])
    return Event(kind, name, place, number=number, retains=retains, creates=creates)
