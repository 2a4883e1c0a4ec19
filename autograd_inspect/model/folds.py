"""Folds: a graph in forward order, and the spans of it that may be shown as one.

Rows stand for nodes, in the order in which the program made them: an arrow always leads from a row
to one with a smaller number. So every span of rows is something no way leaves and comes back to,
whatever made it one: the call of a module, a loop, a chain. Leaves have no rows; who uses them says
so. Views may have none either: then they count in the row that uses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Bytes, Floats, Ints, Longs


class FoldKind(IntEnum):
    """What makes a span of rows one thing."""

    MODULE = 0
    REPEAT = 1
    CHAIN = 2


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """True sums, per fold or per row; what several things in one fold share counts once in it.

    nodes   nodes of the graph: operations, views without a row among them, leaves not
    leaves  leaves used
    saved   bytes held for backward, parameters and buffers not among them
    spent   nanoseconds, -1 where unknown
    norm    norm of the gradient that arrived at what it puts out; NaN unknown, inf not finite
    """

    nodes: Longs
    leaves: Longs
    saved: Longs
    spent: Longs
    norm: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FoldTable:
    """One row per fold, an outer one before those in it, side by side in forward order.

    kind    a `FoldKind`
    parent  the innermost fold around it, -1 for none
    first   its first row
    stop    the row after its last
    call    for MODULE its row in `Graph.call_table`, else -1
    times   for REPEAT how many instances it has, each `(stop - first) // times` rows; else 1
    like    equal for folds of one kind: modules of one class, loops of one body
    """

    kind: Bytes
    parent: Ints
    first: Ints
    stop: Ints
    call: Ints
    times: Ints
    like: Ints


@dataclass(frozen=True, slots=True, eq=False)
class ArrowTable:
    """One row per use of one row's output by another, views without a row passed through.

    source  the user, nearer to the root
    target  what it uses, a smaller number
    edge    the edge of the graph that starts at the user
    output  which output of `target` is used
    """

    source: Ints
    target: Ints
    edge: Longs
    output: Ints


@dataclass(frozen=True, slots=True, eq=False)
class UseTable:
    """One row per use of a leaf.

    source  the row that uses it
    leaf    its node
    """

    source: Ints
    leaf: Ints


@dataclass(frozen=True, eq=False)
class Folds:
    """A graph in rows, with all that may be folded.

    node     per row, its node
    fold     per row, the innermost fold around it, -1 for none
    row      per node, the row it counts in: its own, or that of the user of a view; -1 for leaves
             and for what is left out
    titles   per fold, what it is called, as `attn (Attention)` or `view → mm → view`; each is made
             when it is asked for
    omitted  nodes that have been left out by choice, and count nowhere
    """

    graph: Graph
    node: Ints
    fold: Ints
    row: Ints
    table: FoldTable
    arrows: ArrowTable
    uses: UseTable
    titles: Sequence[str]
    of_folds: Figures
    of_rows: Figures
    whole: Figures
    omitted: int = 0

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.node)

    def around(self, fold: int) -> Iterator[int]:
        """Go from a fold outwards, itself first."""
        while fold >= 0:
            yield fold
            fold = int(self.table.parent[fold])

    def instance(self, repeat: int, number: int) -> tuple[int, int]:
        """Give the first row of one instance of a repeat, and the row after its last."""
        first, stop = int(self.table.first[repeat]), int(self.table.stop[repeat])
        rows = (stop - first) // int(self.table.times[repeat])
        return first + number * rows, first + (number + 1) * rows

    def instance_at(self, repeat: int, row: int) -> int:
        """Say which instance of a repeat a row lies in."""
        first, stop = int(self.table.first[repeat]), int(self.table.stop[repeat])
        return (row - first) * int(self.table.times[repeat]) // (stop - first)


@dataclass(frozen=True, slots=True)
class Opening:
    """Which folds are open. Of an open repeat one instance is on show: `shown`, else the first."""

    folds: frozenset[int] = frozenset()
    shown: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scene:
    """What is to be seen of folds, some of them open: items in forward order, arrows between them.

    Everything that is not shown is in an item, or in an instance of which another one is shown.

    row     per item, its row, -1 where it is a fold
    fold    per item, the closed fold that it is, -1 where it is a row
    inside  per item, the innermost open fold around it, -1 for none
    frames  the open folds that hold something, outer ones first
    source  per arrow, the item that uses the other
    target  per arrow, the item that is used
    arrow   per arrow, its row in `Folds.arrows`; of several the first
    count   per arrow, how many uses it stands for
    carried per arrow, whether it leads to the next instance of a repeat: not in forward order then
    """

    folds: Folds
    opening: Opening
    row: Ints
    fold: Ints
    inside: Ints
    frames: tuple[int, ...]
    source: Ints
    target: Ints
    arrow: Ints
    count: Ints
    carried: Bools

    def __len__(self) -> int:
        """Count the items."""
        return len(self.row)
