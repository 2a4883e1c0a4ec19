"""An outline: the lines a reader sees of a graph, in the order they are read.

Like the graph it is columns, so that the outline of a million nodes is a few arrays; `Row` and
`Gap` are made one at a time, while they are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.rows import Node, Root
from autograd_inspect.model.tables import Bools, Floats, Ints, Longs, Spec


class Why(str, Enum):
    """Why nodes have no line of their own."""

    REPEATED = "repeated"
    CUT = "cut"
    DEEPER = "deeper"


@dataclass(frozen=True, slots=True)
class Gap:
    """A line that stands for others.

    rows   rows it stands for
    nodes  nodes those rows stand for
    span   for REPEATED, how many of the rows above come again
    times  for REPEATED, how many more times they come
    calls  for REPEATED, rows of `Graph.call_table`: the module calls that come, or the first and
           the last of them; empty where the repeats are none
    """

    why: Why
    indent: int
    rows: int
    nodes: int
    span: int = 0
    times: int = 0
    calls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LeafUse:
    """A leaf as the row of an operation shows it; `norm` is None where no gradient is known."""

    node: int
    name: str
    spec: Spec | None
    uses: int
    norm: float | None
    requires_grad: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that is printed further down, where its last user is."""

    node: Node
    leaf: LeafUse | None
    output: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a node that its own row shows; all others have the rows below it.

    leaves      leaves absorbed into the row
    references  inputs printed further down
    views       views left out between it and its other inputs
    deeper      inputs that a depth limit hides
    """

    leaves: tuple[LeafUse, ...]
    references: tuple[Reference, ...]
    views: int
    deeper: int


@dataclass(frozen=True, slots=True)
class Row:
    """One node, with the leaves absorbed into its line.

    opens   it starts a side branch of a row above
    nodes   nodes the row stands for: itself, and those absorbed into it
    uses    edges that lead to it
    shared  a row further up refers to it
    output  which of its outputs the row above takes
    leaf    set where the node itself is a leaf
    inputs  those of its inputs that the row itself shows
    """

    node: Node
    indent: int
    opens: bool
    nodes: int
    uses: int
    shared: bool
    output: int
    roots: tuple[Root, ...]
    leaf: LeafUse | None
    inputs: Inputs

    @property
    def norm(self) -> float | None:
        """The norm of the gradient in `.grad` of a leaf, else of all outputs; None if unknown."""
        if self.leaf:
            return self.leaf.norm
        arrived = self.node.gradient
        return arrived.norm if arrived else None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What reading order makes of each node: one row per node of the graph.

    user      the node it is printed below, its last user; -1 for a root and where not printed
    uses      edges that lead to it
    output    which of its outputs `user` takes
    shared    it has users besides `user`
    absorbed  shown in the rows of its users
    hidden    beyond the depth limit
    weight    nodes that its row stands for, 0 where it has no row
    """

    user: Ints
    uses: Longs
    output: Ints
    shared: Bools
    absorbed: Bools
    hidden: Bools
    weight: Longs


@dataclass(frozen=True, eq=False)
class Outline:
    """The lines shown of a capture's graph.

    node    per line, the number of its node, -1 where the line is a gap
    indent  per line, how many side branches it is inside of
    opens   per line, whether it starts a side branch
    gaps    the gaps, by line
    """

    capture: Capture
    reading: Reading
    node: Ints
    indent: Ints
    opens: Bools
    gaps: Mapping[int, Gap]

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.node)

    def __iter__(self) -> Iterator[Row | Gap]:
        """Read line by line."""
        return map(self.line, range(len(self)))

    @property
    def shown(self) -> int:
        """Nodes that have a row, or are absorbed into one."""
        return int(self.reading.weight[self.node[self.node >= 0]].sum())

    @property
    def folded(self) -> int:
        """Nodes that a repeat stands for."""
        return sum(gap.nodes for gap in self.gaps.values() if gap.why is Why.REPEATED)

    @property
    def hidden(self) -> int:
        """Nodes left out to fit the screen, or beyond the depth limit."""
        return sum(gap.nodes for gap in self.gaps.values() if gap.why is not Why.REPEATED)

    def line(self, number: int) -> Row | Gap:
        """One line by its number."""
        index = int(self.node[number])
        if index < 0:
            return self.gaps[number]
        reading = self.reading
        return Row(
            node=self.capture.graph.node(index),
            indent=int(self.indent[number]),
            opens=bool(self.opens[number]),
            nodes=int(reading.weight[index]),
            uses=int(reading.uses[index]),
            shared=bool(reading.shared[index]),
            output=int(reading.output[index]),
            roots=self.capture.graph.roots_at.get(index, ()),
            leaf=self._leaf_use(index) if self._leaf_row[index] >= 0 else None,
            inputs=self._inputs(index),
        )

    def _inputs(self, index: int) -> Inputs:
        """Sort a node's inputs by how its row shows them."""
        graph, reading = self.capture.graph, self.reading
        leaves: dict[int, LeafUse] = {}
        references: dict[tuple[int, int], Reference] = {}
        deeper, views = 0, 0
        for edge in range(*graph.edge_table.start[index : index + 2].tolist()):
            target, output, passed = self._through_views(edge)
            if target >= 0 and reading.absorbed[target]:
                leaves[target] = self._leaf_use(target)
                continue
            views += passed
            if target < 0 or reading.user[target] == index:
                continue
            if reading.hidden[target]:
                deeper += 1
            else:
                leaf = self._leaf_use(target) if self._leaf_row[target] >= 0 else None
                references[target, output] = Reference(graph.node(target), leaf, output)
        return Inputs(tuple(leaves.values()), tuple(references.values()), views, deeper)

    def _through_views(self, edge: int) -> tuple[int, int, int]:
        """Follow an edge through absorbed views: node, output, and how many views there were."""
        edges = self.capture.graph.edge_table
        target, passed = int(edges.target[edge]), 0
        while target >= 0 and self.reading.absorbed[target] and self._leaf_row[target] < 0:
            first, last = edges.start[target : target + 2].tolist()
            edge = first + int(np.argmax(edges.target[first:last] >= 0))
            target, passed = int(edges.target[edge]), passed + 1
        return target, int(edges.output[edge]), passed

    def _leaf_use(self, index: int) -> LeafUse:
        row = int(self._leaf_row[index])
        graph = self.capture.graph
        outputs = graph.node(index).outputs
        norm = float(self._norm[index])
        return LeafUse(
            node=index,
            name=graph.name(int(graph.leaf_table.name[row])),
            spec=outputs[0] if outputs else None,
            uses=int(self.reading.uses[index]),
            norm=norm if self._has_norm[index] else None,
            requires_grad=bool(graph.leaf_table.requires_grad[row]),
        )

    @cached_property
    def _leaf_row(self) -> Ints:
        """Per node, its row in the leaf table, -1 where it is no leaf."""
        table = self.capture.graph.leaf_table
        rows = np.full(len(self.capture.graph), -1, np.int32)
        rows[table.node] = np.arange(len(table.node))
        return rows

    @cached_property
    def _norm(self) -> Floats:
        table = self.capture.gradients.table
        found = np.full(len(self.capture.graph), np.nan)
        known = table.node >= 0
        found[table.node[known]] = table.norm[known]
        return found

    @cached_property
    def _has_norm(self) -> Bools:
        table = self.capture.gradients.table
        found = np.zeros(len(self.capture.graph), np.bool_)
        found[table.node[(table.node >= 0) & (table.reason == Reason.ARRIVED)]] = True
        return found
