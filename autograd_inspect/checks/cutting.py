"""Which tensors that should learn got no gradient, and the cut that each of them owes it to."""

from __future__ import annotations

import itertools
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import is_only_shown
from autograd_inspect.model.capture import Backward, Capture
from autograd_inspect.model.facts import EventKind, Facts, Learner
from autograd_inspect.model.flow import Cut, CutKind, CutUse
from autograd_inspect.model.places import Place

#: What is said when backward is called on something without a graph.
_GRAPHLESS = "does not require grad and does not have a grad_fn"

#: Kinds whose value leaves torch, so that nobody can see where it goes.
_LEAVING = {CutKind.NUMBER, CutKind.NUMPY, CutKind.NEW_TENSOR, CutKind.FACTORY, CutKind.INTEGER}

#: Kinds that nobody writes by mistake for something else.
STOPPING = {CutKind.DETACH, CutKind.DATA, CutKind.NO_GRAD, CutKind.INFERENCE}

#: Kinds by which an update that is written by hand has no graph.
UPDATING = {CutKind.NO_GRAD, CutKind.DETACH, CutKind.DATA, CutKind.NEW_TENSOR}

#: Operations that what comes out enters as a weight, or as a target.
_BESIDE = {
    *("mul", "div", "sub", "rsub", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"),
    *("kl_div", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
    *("cross_entropy_loss", "cosine_embedding_loss", "soft_margin_loss"),
}

#: Kinds whose value is mostly meant to leave: a prediction, or an action that a game is given.
_CHOOSING = {CutKind.INTEGER, CutKind.SAMPLE}

#: Operations that hand values over to numpy, and to Python.
TO_NUMPY = ("numpy", "__array__", "from_numpy")
TO_NUMBER = ("item", "tolist", "__float__", "__int__", "__bool__", "__index__")


@dataclass(slots=True)
class Trail:
    """A place that cut the graph, put together from all captures that tell of it.

    reaches  what came out went into a root that backward was called on
    ends     what came out is all that such a root was computed from
    raised   the operation raised
    truncates  it cuts each step of a recurrence off from all before
    """

    kind: CutKind
    op: str
    place: Place | None
    region: Place | None
    times: int = 0
    reaches: bool = False
    ends: bool = False
    raised: bool = False
    truncates: bool = False
    leaves: dict[str, None] = field(default_factory=dict)
    uses: dict[tuple[str, Place | None], CutUse] = field(default_factory=dict)

    @property
    def enters(self) -> bool:
        """Whether what came out went into a root as it was, and not by way of another cut."""
        return self.ends or any(use.node is not None for use in self.uses.values())

    @property
    def is_a_weight(self) -> bool:
        """Whether what came out only scales what has a graph, as an advantage does."""
        if self.op == "Tensor.detach_":
            return False  # also for those who had the tensor before
        return self._entered == {"mul"}

    @property
    def is_beside(self) -> bool:
        """Whether what came out is only compared with what has a graph, or scales it."""
        return bool(self._entered) and self._entered <= _BESIDE

    @property
    def _entered(self) -> set[str]:
        return {_bare(use.op) for use in self.uses.values() if use.node is not None}

    @property
    def name(self) -> str:
        """The bare name of what was called: `argmax`."""
        return self.op.rpartition(".")[2]

    def add(self, cut: Cut, *, graphless: bool) -> None:
        """Take in what one capture tells."""
        self.times = max(self.times, cut.times)
        self.reaches |= cut.reaches
        self.ends |= cut.reaches and graphless
        self.raised |= cut.raised
        self.truncates |= cut.truncates
        self.leaves |= dict.fromkeys(cut.leaves)
        self.uses |= {(use.op, use.place): use for use in cut.uses}

    def taken_by(self, *names: str) -> CutUse | None:
        """Find an operation of one of these names that took what came out."""
        return next((use for use in self.uses.values() if _bare(use.op) in names), None)


@dataclass(frozen=True, slots=True)
class Loss:
    """A cut, and those that got no gradient because of it; none where only a root has no graph."""

    trail: Trail
    lost: tuple[str, ...]


def trails(facts: Facts) -> list[Trail]:
    """List the cuts of a run, in the order they were seen.

    What ran in one place where gradients were switched off is one.
    """
    found: dict[tuple[object, ...], Trail] = {}
    for capture in facts.captures:
        graphless = is_graphless(capture)
        for cut in capture.graph.cuts:
            # What is copied into a parameter is about the copy, whatever else runs there.
            inside = cut.region is not None and cut.kind is not CutKind.COPY
            key = (cut.kind, cut.region) if inside else (cut.kind, cut.op, cut.place)
            trail = found.get(key)
            if trail is None:
                region = cut.region if inside else None
                trail = found[key] = Trail(cut.kind, cut.op, cut.place, region)
            trail.add(cut, graphless=graphless)
    return list(found.values())


def is_graphless(capture: Capture) -> bool:
    """Tell whether backward was called on something that no operation of autograd made."""
    failed = _GRAPHLESS in capture.about.error
    return failed or (capture.about.backward is Backward.SCRIPT and _has_only_a_leaf(capture))


def _has_only_a_leaf(capture: Capture) -> bool:
    nodes = list(itertools.islice(capture.graph.nodes, 2))
    return len(nodes) == 1 and nodes[0].leaf is not None


def lost(facts: Facts) -> list[Learner]:
    """List what should learn and got no gradient from any backward call."""
    stepping = any(one.is_trained for one in facts.learners)
    derived = _derived(facts)
    silent = [
        one
        for one in facts.learners
        if one.name and one.requires_grad and one.is_leaf and not (one.reached or one.arrived)
        if one.name not in derived and not _came_too_late(one, facts)
    ]
    if stepping:
        return [one for one in silent if one.is_trained]
    if any(one.holders for one in facts.learners):
        # No optimizer has stepped so far: a program that failed before, or found nothing to do.
        return [one for one in silent if one.holders] if is_graphless_run(facts) else []
    taught = {_owner(one.name) for one in facts.learners if one.reached and one.is_registered}
    graphless = is_graphless_run(facts)
    return [
        one for one in silent if graphless or (one.is_registered and _owner(one.name) in taught)
    ]


def _derived(facts: Facts) -> frozenset[str]:
    """Name what a derivative that the loss is made of was taken through.

    A term that is constant there, as the bias of an energy, has no part in the derivative.
    """
    creating = {e.number for e in facts.events if e.kind is EventKind.GRAD and e.creates}
    return frozenset(
        node.leaf.name
        for capture in facts.captures
        if capture.about.number in creating
        for node in capture.graph.nodes
        if node.leaf is not None
    )


def _came_too_late(one: Learner, facts: Facts) -> bool:
    """Tell what was made after the last backward: a model that was loaded to be evaluated."""
    calls = sum(event.kind is EventKind.BACKWARD for event in facts.events)
    return facts.failure is None and 0 < calls <= one.made_after


def losses(facts: Facts) -> list[Loss]:
    """Give the fewest cuts that explain what got no gradient, the surest first."""
    sources = Sources(facts.start)
    found = [one for one in trails(facts) if _may_be_why(one, sources)]
    refused = [one for one in found if one.raised]
    waiting = {one.name for one in lost(facts)}.difference(*(one.leaves for one in refused))
    given = [Loss(one, tuple(one.leaves)) for one in refused]
    learned = {one.name for one in facts.learners if one.reached or one.arrived}
    while waiting:
        best = min(found, key=lambda one: _doubt(one, waiting, learned), default=None)
        if best is None or waiting.isdisjoint(best.leaves):
            break
        given.append(Loss(best, tuple(name for name in best.leaves if name in waiting)))
        waiting.difference_update(best.leaves)
    if not given and not frozen_altogether(facts):
        ends = sorted((one for one in found if one.ends), key=_doubt_of_end)
        given = [Loss(one, ()) for one in ends[:1]]
    return given


def explained(facts: Facts) -> frozenset[str]:
    """Name what a cut explains."""
    return frozenset(name for one in losses(facts) for name in one.lost)


def _may_be_why(trail: Trail, sources: Sources) -> bool:
    """Tell whether what came out of a cut was, or may have been, computed with any further."""
    if trail.op == "copy.deepcopy":
        return False  # the copy is to be another
    leaves = trail.kind in _LEAVING or trail.taken_by(*TO_NUMPY, *TO_NUMBER)
    if trail.reaches or trail.raised:
        return True
    return bool(leaves) and not is_only_shown(sources, trail.place)


def _doubt(trail: Trail, waiting: set[str], learned: set[str]) -> tuple[bool, int, bool, int]:
    """Order cuts by how surely they are why the waiting ones got nothing.

    Of two in a row the later one is: what it was given still had a graph.
    """
    explained = sum(name in waiting for name in trail.leaves)
    return not explained, _rank(trail, learned), not trail.enters, -explained


def _doubt_of_end(trail: Trail) -> tuple[int, bool]:
    """Order cuts by how surely they are why a loss has no graph at all.

    A gradient only moved the parameters, as a rule, and these have a graph whatever they hold.
    """
    return _rank(trail), trail.kind is CutKind.NO_CREATE_GRAPH


def _rank(trail: Trail, learned: AbstractSet[str] = frozenset()) -> int:
    """Say how little a cut looks like a mistake; most of all one whose value went elsewhere.

    A block that keeps it from others, too, which get it elsewhere, may be a rollout or a target.
    """
    if not trail.reaches:
        return 10 if trail.kind not in _CHOOSING else 11
    if trail.kind not in STOPPING:
        return 1 if trail.kind is CutKind.INTEGER else 0
    is_meant = trail.region is not None and not learned.isdisjoint(trail.leaves)
    return 2 * trail.is_beside + 3 * is_meant


def frozen_altogether(facts: Facts) -> list[Learner]:
    """List what an optimizer holds, of each optimizer that holds nothing but frozen tensors."""
    held: dict[str, list[Learner]] = {}
    for one in facts.learners:
        for holder in one.holders:
            held.setdefault(holder.name, []).append(one)
    return [
        one
        for group in held.values()
        if not any(one.requires_grad for one in group)
        for one in group
        if one.frozen is not None
    ]


def is_graphless_run(facts: Facts) -> bool:
    """Tell whether any backward call was on something without a graph, or on a number."""
    message = facts.failure.message if facts.failure is not None else ""
    return any(map(is_graphless, facts.captures)) or _GRAPHLESS in message or is_number(message)


def is_number(message: str) -> bool:
    """Tell the error of a Python number that backward was called on."""
    return "has no attribute 'backward'" in message and ("float" in message or "int" in message)


def _owner(name: str) -> str:
    return name.partition(".")[0]


def _bare(op: str) -> str:
    return op.rpartition(".")[2]
