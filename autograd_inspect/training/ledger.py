"""What is written down of a training, step by step: plain figures that hold no tensor."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from statistics import fmean
from types import FrameType
from typing import Any

import torch

from autograd_inspect.autograd._torch import in_transform
from autograd_inspect.model.places import Place
from autograd_inspect.model.training import Loss, Movement, Step
from autograd_inspect.tracing.frames import Scope, scopes_at
from autograd_inspect.tracing.names import Named, find_names, search
from autograd_inspect.training.byhand import ByHand
from autograd_inspect.training.fates import Fates
from autograd_inspect.training.graphs import Graphs, Seen
from autograd_inspect.training.naming import (
    LossNames,
    graphs_held,
    kept_in_modules,
    variable_holding,
)
from autograd_inspect.training.norms import Norms
from autograd_inspect.training.optimizers import Groups, Optimizers, Tracked
from autograd_inspect.training.scaling import Scaling

#: Steps kept; when there are twice as many, every second is dropped.
_KEPT = 2048
#: Searches for names, each of which looks through all variables of the program.
_SEARCHES = 5
#: The step after which what holds graphs is counted, to be compared with the last one.
EARLY = 2
clock = time.perf_counter


@dataclass(slots=True)
class Since:
    """What there was since the last step.

    losses  values by name, with the line of the call
    own     seconds that measuring took
    """

    losses: dict[str, tuple[list[float | None], Place | None]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    backwards: int = 0
    backwards_before_step: int = 0
    backward: float = 0.0
    own: float = 0.0
    began_step: float = 0.0
    began: float = field(default_factory=clock)


class Ledger:
    """Writes down backward calls and steps.

    steps    every `stride`-th of the `seen` ones
    calls    backward calls
    skipped  steps that a GradScaler skipped
    reused   how many steps used gradients that a step had used already, and the line of the first
    failed   the error of the last backward call, empty where it had none
    held     tensors with a graph that variables lead to, after step `EARLY`
    """

    def __init__(self, by: str, start: Path) -> None:
        self.optimizers = Optimizers()
        self.fates = Fates()
        self.groups = Groups(by)
        self.scaling = Scaling(lambda: self.seen, self._skip)
        self._since: dict[int, Since] = {}
        self.steps: list[Step] = []
        self.stride = 1
        self.seen = 0
        self.calls = 0
        self.skipped = 0
        self.reused: tuple[int, Place | None] = (0, None)
        self.failed = ""
        self.held: int | None = None
        self._by_hand: ByHand | None = ByHand()
        self._leaves: list[torch.Tensor] = []
        self._graphs = Graphs()
        self._names = LossNames(start)
        self._searches = 0

    def before_backward(self, roots: Sequence[Any], frame: FrameType) -> None:
        """Look at a graph while it holds what it saved."""
        self.calls += 1
        self.since.backwards += 1
        by_hand = [self._by_hand.tracked] if self._by_hand else []
        for tracked in (*self.optimizers.of_this_thread(), *by_hand):
            tracked.reuse.before_backward(tracked.parameters)
        self._note_losses(roots, frame)
        if in_transform():  # these tensors stand for others
            return
        having = [root for root in roots if not isinstance(root, torch.Tensor) or root.grad_fn]
        if having:
            seen, leaves = self._graphs.look(having, self.seen + 1)
            self.since.seen.append(seen)
            self.fates.reach(leaves)
            self._leaves = leaves if self._by_hand else []

    def after_backward(self, seconds: float, error: Exception | None) -> None:
        """Note how a backward ended."""
        self.since.backward += seconds
        self.failed = f"{type(error).__name__}: {error}" if error else ""

    @property
    def may_step_by_hand(self) -> bool:
        """Whether no optimizer has stepped so far."""
        return self._by_hand is not None

    def look_at_leaves(self, frame: FrameType) -> None:
        """Look at what a backward has given gradients to, where the program may move it itself."""
        if self._by_hand is not None and self._leaves:
            tracked = self._by_hand.tracked
            if self._by_hand.look(self._leaves):
                tracked.rows = []
                self._search_names(frame)
            self._leaves = []
            self.since.began_step = clock()

    def step_by_hand(self) -> Step | None:
        """Write down that the program has moved its leaves itself since the last backward."""
        moved = self._by_hand.moved() if self._by_hand is not None else None
        if self._by_hand is None or moved is None:
            return None
        tracked = self._by_hand.tracked
        tracked.number = self.optimizers.number_of(tracked.name)
        if not tracked.rows:
            self.fates.hold(tracked.parameters, tracked.number)
            tracked.rows = self.groups.rows_of(tracked, self.fates.name_of)
        # The leaves of a model that is only looked through have gradients that nobody uses.
        tracked.settle(list(compress(tracked.parameters, moved[1])))
        return self._write(tracked, moved, clock())

    def before_step(self, optimizer: torch.optim.Optimizer, frame: FrameType) -> None:
        """Look at gradients and weights; a new optimizer, or new parameters of one, are named."""
        self._by_hand = None
        tracked = self.optimizers.get(optimizer)
        if tracked is None:
            with scopes_at(frame) as scopes:
                name = variable_holding(optimizer, scopes)
            tracked = self.optimizers.add(optimizer, name)
        if tracked.refresh():
            self.fates.hold(tracked.parameters, tracked.number)
            self._search_names(frame)
            tracked.rows = self.groups.rows_of(tracked, self.fates.name_of)
        tracked.before_step()
        self.since.backwards_before_step = self.since.backwards
        self.since.began_step = clock()

    def after_step(self, optimizer: torch.optim.Optimizer) -> Step | None:
        """Write the step down."""
        ended = clock()
        tracked = self.optimizers.get(optimizer)
        if tracked is None:
            return None
        had_backward = self.since.backwards > self.since.backwards_before_step
        return self._write(tracked, tracked.after_step(had_backward=had_backward), ended)

    def _write(self, tracked: Tracked, measured: tuple[Norms, Norms], ended: float) -> Step:
        weights, updates = measured
        self.seen += 1
        self.fates.step(tracked.parameters, tracked.gradients, updates)
        step = self._step(tracked, tracked.movements(weights, updates), ended)
        if step.reused:
            places = [loss.place for loss in step.losses]
            self.reused = self.reused[0] + 1, self.reused[1] or next(iter(places), None)
        self._keep(step)
        return step

    @property
    def since(self) -> Since:
        """What there was since the last step on this thread."""
        return self._since.setdefault(threading.get_ident(), Since())

    def begin_next(self) -> None:
        """Begin to note what leads to the next step."""
        self._since[threading.get_ident()] = Since()

    def name_all(self, scopes: Sequence[Scope]) -> Named:
        """Name what has no name yet, and say what there is."""
        named = find_names(scopes, self.fates.unnamed())
        self.fates.name(named.by_id)
        if self.fates.unnamed():
            kept = kept_in_modules(search(scopes))
            self.fates.name({id(tensor): name for name, tensor in kept})
        return named

    def note_held(self, scopes: Sequence[Scope]) -> None:
        """Count what holds graphs."""
        self.held = len(graphs_held(scopes))

    def _step(self, tracked: Tracked, groups: dict[int, Movement], ended: float) -> Step:
        since = self.since
        saved = [seen.saved for seen in since.seen]
        return Step(
            number=self.seen,
            optimizer=tracked.number,
            losses=tuple(
                Loss(name, _mean(values), len(values), place)
                for name, (values, place) in since.losses.items()
            ),
            moved=Movement.together(groups.values()),
            groups=groups,
            backwards=since.backwards,
            added=tracked.added,
            nodes=sum(seen.nodes for seen in since.seen),
            saved=-1 if -1 in saved else sum(saved),
            earlier=sum(seen.earlier for seen in since.seen),
            live=self._graphs.alive(self.seen),
            reused=tracked.reused,
            attached=tracked.attached,
            seconds=ended - since.began - since.own if self.seen > 1 else None,
            backward=since.backward,
            stepping=ended - since.began_step,
        )

    def _note_losses(self, roots: Sequence[Any], frame: FrameType) -> None:
        losses = [
            self.scaling.unscaled(root) if isinstance(root, torch.Tensor) else root
            for root in roots
        ]
        names, place = self._names.at(frame, losses)
        for name, loss in zip(names, losses, strict=True):
            is_number = isinstance(loss, torch.Tensor) and loss.numel() == 1
            values, _ = self.since.losses.setdefault(name, ([], place))
            values.append(float(loss.detach()) if is_number else None)

    def _search_names(self, frame: FrameType) -> None:
        if self._searches < _SEARCHES and self.fates.unnamed():
            self._searches += 1
            with scopes_at(frame) as scopes:
                self.name_all(scopes)

    def _keep(self, step: Step) -> None:
        if (step.number - 1) % self.stride == 0:
            self.steps.append(step)
        if len(self.steps) >= 2 * _KEPT:
            self.steps = self.steps[::2]
            self.stride *= 2

    def _skip(self) -> None:
        self.skipped += 1
        self.begin_next()


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
