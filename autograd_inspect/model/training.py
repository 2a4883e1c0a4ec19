"""What a program did while it trained: its steps, its parameters, and what outlived a step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from autograd_inspect.model.places import Place


@dataclass(frozen=True, slots=True)
class Movement:
    """How far some parameters moved in one step; norms are 2-norms, None where not measured.

    gradient  of the gradients that the step used
    weight    of the parameters before the step
    update    of their change
    rate      the learning rate, None where there are several
    """

    gradient: float | None = None
    weight: float | None = None
    update: float | None = None
    rate: float | None = None

    @property
    def ratio(self) -> float | None:
        """The update in relation to the weights."""
        if self.weight is None or self.update is None:
            return None
        if not self.weight:
            return math.inf if self.update else 0.0
        return self.update / self.weight

    @classmethod
    def together(cls, parts: Iterable[Movement]) -> Movement:
        """Give the movement of all these parameters; what one part lacks, does not count."""
        moved = list(parts)
        rates = {part.rate for part in moved}
        return cls(
            gradient=_norm(part.gradient for part in moved),
            weight=_norm(part.weight for part in moved),
            update=_norm(part.update for part in moved),
            rate=rates.pop() if len(rates) == 1 else None,
        )


def _norm(parts: Iterable[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return math.hypot(*known) if known else None


@dataclass(frozen=True, slots=True)
class Loss:
    """What backward was called on: the mean of its values over the calls of one step.

    value  None for one that is no single number
    place  the line of the call
    """

    name: str
    value: float | None
    calls: int
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an optimizer, and the backward calls since the one before.

    optimizer  number of the optimizer, from 0
    moved      all of its parameters together
    groups     the movement of each group, by its number
    added      backward calls that added to gradients which no step had used
    nodes      of the graphs that backward was called on, together
    saved      bytes that these graphs held for backward, each storage once; -1 where not shown
    earlier    nodes among them that belong to a graph of an earlier step
    live       graphs of earlier steps that are still alive at the end of this one
    reused     parameters whose gradient was added to one that an earlier step had already used
    attached   parameters whose gradient has a graph of its own
    seconds    since the step before, without what measuring took; None for the first step
    backward   seconds of the backward calls
    stepping   seconds of the optimizer's step
    """

    number: int
    optimizer: int
    losses: tuple[Loss, ...]
    moved: Movement
    groups: dict[int, Movement]
    backwards: int
    added: int
    nodes: int
    saved: int
    earlier: int
    live: int
    reused: int
    attached: int
    seconds: float | None
    backward: float
    stepping: float


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that are summed up in one row: a parameter group, a module, or one parameter."""

    name: str
    optimizer: int
    parameters: int
    elements: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one parameter.

    optimizers     numbers of the optimizers that hold it and have stepped
    is_held        any optimizer holds it, whether it has stepped or not
    is_owned       a module that is alive has it
    requires_grad  at the end
    reached        graphs that led to it
    steps          of an optimizer that holds it
    arrived        those of them in which it had a gradient
    nonzero        those in which the gradient was not all zero
    moved          those that changed it, as far as could be measured
    """

    name: str
    shape: tuple[int, ...]
    optimizers: tuple[int, ...]
    is_held: bool
    is_owned: bool
    requires_grad: bool
    reached: int
    steps: int
    arrived: int
    nonzero: int
    moved: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Values that the user asked to see, before the first step and after the last; None if none."""

    expression: str
    before: tuple[float, ...] | None
    after: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor that a variable leads to and that has a graph.

    step  in which backward was called on that graph, 0 for never
    """

    name: str
    shape: tuple[int, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a training that its author should know.

    slug      the kind, for machines
    is_fault  False for a fact that may well be intended
    message   in one sentence
    evidence  what was seen, a line each
    """

    slug: str
    is_fault: bool
    message: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Training:
    """All that was seen of a program's training.

    wanted     steps that were asked for
    seen       steps that there were; `steps` has every `stride`-th of them
    by         what `groups` are: `group`, `module` or `parameter`
    optimizers their names
    held       what holds graphs at the end
    growing    how many more tensors with a graph variables led to at the end than after step 2
    unfinished nodes of earlier steps in the graph whose backward failed last
    skipped    steps that a GradScaler skipped because gradients were not finite
    sampled    one of how many elements of the weights was compared, 1 for all
    failed     the error that the last backward call ended with, empty for none
    calls      backward calls that accumulate gradients
    reused_steps  steps that used gradients which a step had used already
    reused_place  the backward call before the first of these
    findings   what its author should know, faults first
    """

    target: str
    arguments: tuple[str, ...]
    wanted: int
    seen: int
    by: str
    steps: tuple[Step, ...]
    optimizers: tuple[str, ...]
    groups: tuple[Group, ...]
    parameters: tuple[Fate, ...]
    shown: tuple[Shown, ...]
    held: tuple[Held, ...] = ()
    growing: int = 0
    unfinished: int = 0
    skipped: int = 0
    sampled: int = 1
    stride: int = 1
    failed: str = ""
    calls: int = 0
    reused_steps: int = 0
    reused_place: Place | None = None
    findings: tuple[Finding, ...] = ()
