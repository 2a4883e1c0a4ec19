"""The graph: tables of columns, and views that let one node or edge be read at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from autograd_inspect.model.flow import (
    Cut,
    CutLeafTable,
    CutTable,
    CutUseTable,
    WriteTable,
)
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.probes import Birth, Passed, PassedTable
from autograd_inspect.model.profile import OutsideTable, TimeTable
from autograd_inspect.model.rows import Leaf, Node, Root
from autograd_inspect.model.tables import (
    CallTable,
    EdgeTable,
    LeafTable,
    Longs,
    NodeTable,
    OutputTable,
    RootTable,
    SavedTable,
    Spec,
    empty,
)


@dataclass(frozen=True, eq=False)
class Graph:
    """An autograd graph as torch had it: nodes from the roots to the leaves.

    The `*_table` fields hold everything as arrays; `nodes`, `node(i)`, `leaves` and `roots` are
    views of single rows for reading and for people. The tuples at the end are the tables that the
    integer columns point into.
    """

    node_table: NodeTable
    edge_table: EdgeTable
    output_table: OutputTable
    saved_table: SavedTable
    leaf_table: LeafTable
    root_table: RootTable
    call_table: CallTable = field(default_factory=partial(empty, CallTable))
    write_table: WriteTable = field(default_factory=partial(empty, WriteTable))
    cut_table: CutTable = field(default_factory=partial(empty, CutTable))
    cut_leaf_table: CutLeafTable = field(default_factory=partial(empty, CutLeafTable))
    cut_use_table: CutUseTable = field(default_factory=partial(empty, CutUseTable))
    passed_table: PassedTable = field(default_factory=partial(empty, PassedTable))
    time_table: TimeTable = field(default_factory=partial(empty, TimeTable))
    outside_table: OutsideTable = field(default_factory=partial(empty, OutsideTable))
    ops: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    specs: tuple[Spec, ...] = ()
    attributes: tuple[str, ...] = field(default=("{}",))
    places: tuple[Place, ...] = ()
    stacks: tuple[Stack, ...] = ()
    modules: tuple[Module, ...] = ()
    births: tuple[Birth, ...] = ()

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.node_table.op)

    def __repr__(self) -> str:
        return f"<Graph of {len(self)} nodes, {self.edge_count} edges, {len(self.leaves)} leaves>"

    @property
    def edge_count(self) -> int:
        """Edges that lead to a node."""
        return len(self.edge_table.target) - self.undefined_edge_count

    @cached_property
    def undefined_edge_count(self) -> int:
        """Input slots that lead nowhere, because that input needed no gradient."""
        return int(np.count_nonzero(self.edge_table.target < 0))

    @cached_property
    def depth(self) -> int:
        """Nodes on the longest path from a root to a leaf."""
        return int(self.node_table.depth.max()) + 1 if len(self) else 0

    @property
    def nodes(self) -> Iterator[Node]:
        """All nodes, roots first."""
        return (Node(self, index) for index in range(len(self)))

    def node(self, index: int) -> Node:
        """One node by its number; raises IndexError where there is none."""
        if not 0 <= index < len(self):
            raise IndexError(f"no node {index} in a graph of {len(self)} nodes")
        return Node(self, index)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The tensors that gradients accumulate into."""
        table = self.leaf_table
        return tuple(
            Leaf(self.node(node), self.name(name), requires_grad, self._names_in(aliases))
            for node, name, requires_grad, aliases in zip(
                table.node.tolist(),
                table.name.tolist(),
                table.requires_grad.tolist(),
                table.aliases.tolist(),
                strict=True,
            )
        )

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The tensors that were traced."""
        table = self.root_table
        return tuple(
            Root(self.node(int(node)), int(output), self.name(int(name)))
            for node, output, name in zip(table.node, table.output, table.name, strict=True)
        )

    @cached_property
    def node_times(self) -> Longs:
        """Nanoseconds of each node: forward and backward of a profile, else backward as probed.

        -1 where neither is known.
        """
        table = self.time_table
        if not len(table.forward):
            return self.node_table.spent
        known = (table.forward >= 0) | (table.backward >= 0)
        return np.where(known, np.maximum(table.forward, 0) + np.maximum(table.backward, 0), -1)

    @cached_property
    def leaf_at(self) -> Mapping[int, Leaf]:
        """The leaf of each AccumulateGrad node, by node number."""
        return {leaf.node.index: leaf for leaf in self.leaves}

    @cached_property
    def roots_at(self) -> Mapping[int, tuple[Root, ...]]:
        """The roots that each root node puts out, by node number."""
        found: dict[int, list[Root]] = {}
        for root in self.roots:
            found.setdefault(root.node.index, []).append(root)
        return {index: tuple(roots) for index, roots in found.items()}

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """The places of the program that cut the graph."""
        return tuple(Cut(self, row) for row in range(len(self.cut_table.kind)))

    @cached_property
    def calls_of(self) -> Mapping[int, int]:
        """How many calls of each module there are, by row of `modules`."""
        return Counter(self.call_table.module.tolist())

    @cached_property
    def has_several_models(self) -> bool:
        """Whether its modules belong to more than one outermost module."""
        return len({module.owner for module in self.modules if module.path}) > 1

    def module_name(self, module: Module) -> str:
        """Name a module by its path; with its owner in front where the path alone says too little.

        That is so with several models, and where a path begins with a number: `net.0`.
        """
        unclear = self.has_several_models or module.path[:1].isdecimal()
        return module.full_name if module.path and unclear else module.name

    def passed(self, row: int) -> Passed | None:
        """Give a gradient that was measured on its way, None for -1."""
        if row < 0:
            return None
        table = self.passed_table
        return Passed(
            norm=float(table.norm[row]),
            max=float(table.max[row]),
            zeros=int(table.zeros[row]),
            nan=int(table.nan[row]),
            inf=int(table.inf[row]),
            count=int(table.count[row]),
        )

    def name(self, row: int) -> str:
        """Give the interned name, empty for -1."""
        return self.names[row] if row >= 0 else ""

    def _names_in(self, row: int) -> tuple[str, ...]:
        return tuple(self.names[row].split(", ")) if row >= 0 else ()

    def lines_of(self, stack: int) -> tuple[Place, ...]:
        """Give the user's lines of a row of `stacks`, innermost first; none for -1."""
        return tuple(self.places[row] for row in self.stacks[stack].lines) if stack >= 0 else ()

    def place_of(self, stack: int) -> Place | None:
        """Give the innermost of the user's lines of a row of `stacks`, None for -1."""
        lines = self.stacks[stack].lines if stack >= 0 else ()
        return self.places[lines[0]] if lines else None
