"""What changed from one capture to another: pairs of nodes, and what differs in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is the program's to import first
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.places import Module
    from autograd_inspect.model.rows import Node
    from autograd_inspect.model.tables import Ints, Longs

#: What can be compared, and what is unless asked otherwise.
ASPECTS = ("structure", "shapes", "saved", "grads", "times", "lines")
USUAL_ASPECTS = ("structure", "shapes", "saved", "grads")
#: Differences of norms up to this share of the larger one are none.
TOLERANCE = 0.01

USUAL = ",".join(USUAL_ASPECTS)

#: Boxes of a picture, before what did not change is folded.
MOST_BOXES = 140

ADDED, REMOVED, CHANGED = "+", "-", "~"


class Fact(IntFlag):
    """What can differ between a node and its like."""

    OP = 1
    SCALARS = 2
    INPUTS = 4
    MODULE = 8
    NAME = 16
    REQUIRES_GRAD = 32
    SHAPE = 64
    SAVED = 128
    GRAD = 256
    TIME = 512
    LINE = 1024

    @property
    def label(self) -> str:
        """The word shown to people."""
        return (self.name or "").lower()


#: What belongs to each aspect.
FACTS_OF = {
    "structure": (
        Fact.OP | Fact.SCALARS | Fact.INPUTS | Fact.MODULE | Fact.NAME | Fact.REQUIRES_GRAD
    ),
    "shapes": Fact.SHAPE,
    "saved": Fact.SAVED,
    "grads": Fact.GRAD,
    "times": Fact.TIME,
    "lines": Fact.LINE,
}


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """One row per pair of nodes that are the same, and per node that has no like.

    In the forward order of the graph after, with what was removed behind what it followed; leaves
    stand right before their first user.

    before  node of the graph before, -1 where it was added
    after   node of the graph after, -1 where it was removed
    facts   what differs: bits of `Fact`
    """

    before: Ints
    after: Ints
    facts: Ints


@dataclass(frozen=True, slots=True)
class Contrast:
    """A fact that differs, with what it was and what it is, as it is shown; -1 bytes is unknown."""

    fact: Fact
    before: str | int | float
    after: str | int | float


@dataclass(frozen=True, slots=True)
class Difference:
    """A node that was added (`+`), removed (`-`) or changed (`~`), and what differs in it."""

    mark: str
    before: Node | None
    after: Node | None
    contrasts: tuple[Contrast, ...] = ()

    @property
    def node(self) -> Node:
        """The node as it is now, or was where it is gone."""
        node = self.after or self.before
        assert node is not None
        return node

    @property
    def drifted(self) -> bool:
        """Whether its gradient differs."""
        return any(one.fact is Fact.GRAD for one in self.contrasts)

    @property
    def only_drifted(self) -> bool:
        """Whether nothing else does."""
        return self.mark == CHANGED and all(one.fact is Fact.GRAD for one in self.contrasts)


@dataclass(frozen=True, slots=True)
class Change:
    """Differences that are told in one line.

    first   the one that the line is of
    nodes   how many nodes, leaves not counted, were added or removed with it in one module call
    leaves  how many leaves were
    held    bytes that these nodes keep and none before them
    reason  why leaves that are gone have no gradient now, empty where that is not known of all
    module  the module that was added or removed whole, or that the node is in; None outside
    where   the name of that module, or of the leaf it is of, as it is shown
    times   how often the same happened
    also    names of the other modules, or leaves, with which it did, in forward order
    """

    first: Difference
    contrasts: tuple[Contrast, ...] = ()
    nodes: int = 0
    leaves: int = 0
    held: int = 0
    reason: str = ""
    module: Module | None = None
    where: str = ""
    times: int = 1
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """A gradient whose norm differs, by which factor; infinite where none can be said."""

    difference: Difference
    contrast: Contrast
    factor: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A diff as people read it.

    changes  what was added, removed and changed, gradients left out
    drifts   leaves whose gradients differ, those that differ most first; nodes where no leaf does
    drifted  how many leaves and how many other nodes have other gradients
    """

    changes: tuple[Change, ...]
    drifts: tuple[Drift, ...]
    drifted: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Renamed:
    """A module that goes by another name or class now, with all that lies in it."""

    before: Module
    after: Module


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures of the whole graphs, before and after; bytes held count each storage once."""

    nodes: tuple[int, int]
    edges: tuple[int, int]
    leaves: tuple[int, int]
    held: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Diff:
    """Two captures side by side.

    pairs      the nodes of both
    calls      per module call before, its like after, -1 for none
    compared   which of `ASPECTS` were compared
    tolerance  up to which share of the larger one norms, and times, count as equal
    renamed    modules that were renamed
    rewired    edges between pairs that lead elsewhere now
    totals     figures of the whole graphs
    notes      why the two can hardly be compared, or not in all respects
    differences  what was added, removed or changed
    """

    before: Capture
    after: Capture
    pairs: PairTable
    calls: Longs
    compared: tuple[str, ...]
    tolerance: float
    renamed: tuple[Renamed, ...]
    rewired: int
    totals: Totals
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        """Tell whether there is any difference."""
        return bool(self.differences or self.renamed)

    def __iter__(self) -> Iterator[Difference]:
        """Go through what was added, removed or changed."""
        return iter(self.differences)

    def __len__(self) -> int:
        """Count the nodes that were added, removed or changed."""
        return len(self.differences)

    def count(self, mark: str) -> int:
        """Count the nodes of one mark: `+`, `-` or `~`, but for those with other gradients only."""
        return sum(one.mark == mark and not one.only_drifted for one in self.differences)

    @property
    def drifted(self) -> int:
        """Count the nodes, leaves among them, whose gradients differ."""
        return sum(one.drifted for one in self.differences)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{self.count(mark):,} {word}"
            for mark, word in ((ADDED, "added"), (REMOVED, "removed"), (CHANGED, "changed"))
        )
        return f"<Diff: {counts}>"
