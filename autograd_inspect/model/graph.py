"""The graph: tables of columns, and views that let one node or edge be read at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autograd_inspect.model.tables import (
    EdgeTable,
    Kind,
    LeafTable,
    NodeTable,
    OutputTable,
    RootTable,
    SavedState,
    SavedTable,
    Spec,
)


@dataclass(frozen=True, eq=False)
class Graph:
    """An autograd graph as torch had it: nodes from the roots to the leaves.

    The `*_table` fields hold everything as arrays; `nodes`, `node(i)`, `leaves` and `roots` are
    views of single rows for reading and for people. `ops`, `names`, `specs` and `attributes` are
    the tables that the integer columns point into.
    """

    node_table: NodeTable
    edge_table: EdgeTable
    output_table: OutputTable
    saved_table: SavedTable
    leaf_table: LeafTable
    root_table: RootTable
    ops: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    specs: tuple[Spec, ...] = ()
    attributes: tuple[str, ...] = field(default=("{}",))

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
            Leaf(self.node(int(node)), self.name(int(name)), bool(requires_grad))
            for node, name, requires_grad in zip(
                table.node, table.name, table.requires_grad, strict=True
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

    def name(self, row: int) -> str:
        """Give the interned name, empty for -1."""
        return self.names[row] if row >= 0 else ""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a graph: a backward function, as autograd sees it."""

    graph: Graph
    index: int

    @property
    def op(self) -> str:
        """Autograd's name for it: `MulBackward0`, `AccumulateGrad`."""
        return self.graph.ops[int(self.graph.node_table.op[self.index])]

    @property
    def kind(self) -> Kind:
        """Operation, leaf, view, custom function and so on."""
        return Kind(self.graph.node_table.kind[self.index])

    @property
    def sequence(self) -> int:
        """Autograd's sequence number, -1 for leaves."""
        return int(self.graph.node_table.sequence[self.index])

    @property
    def depth(self) -> int:
        """Edges on the longest path from a root."""
        return int(self.graph.node_table.depth[self.index])

    @property
    def hooks(self) -> int:
        """Hooks registered, -1 where torch does not show the number."""
        return int(self.graph.node_table.hooks[self.index])

    @property
    def attributes(self) -> dict[str, object]:
        """The scalars it saved: exponent, dim, alpha and the like."""
        row = self.graph.node_table.attributes[self.index]
        found: dict[str, object] = json.loads(self.graph.attributes[row])
        return found

    @property
    def outputs(self) -> tuple[Spec | None, ...]:
        """Shape, dtype and device of each output of the forward operation."""
        table = self.graph.output_table
        rows = table.spec[table.start[self.index] : table.start[self.index + 1]]
        return tuple(self.graph.specs[row] if row >= 0 else None for row in rows)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Its outgoing edges, towards the leaves, one per input slot."""
        table = self.graph.edge_table
        first, last = int(table.start[self.index]), int(table.start[self.index + 1])
        return tuple(
            Edge(
                source=self,
                slot=row - first,
                target=self.graph.node(int(table.target[row])) if table.target[row] >= 0 else None,
                output=int(table.output[row]),
            )
            for row in range(first, last)
        )

    @property
    def saved(self) -> tuple[Saved, ...]:
        """The tensors it keeps for its backward."""
        table = self.graph.saved_table
        first, last = np.searchsorted(table.node, [self.index, self.index + 1])
        return tuple(Saved(self.graph, row) for row in range(int(first), int(last)))

    @property
    def leaf(self) -> Leaf | None:
        """The leaf it accumulates into, for an AccumulateGrad node."""
        return self.graph.leaf_at.get(self.index)

    def __repr__(self) -> str:
        return f"<Node {self.index} {self.op} {' '.join(map(str, self.outputs))}>"


@dataclass(frozen=True, slots=True)
class Edge:
    """A gradient's way from `source` into output number `output` of `target`.

    `slot` says which input of the source's forward operation it belongs to; `target` is None where
    that input needed no gradient.
    """

    source: Node
    slot: int
    target: Node | None
    output: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor that gradients accumulate into, with the name that the program has for it."""

    node: Node
    name: str
    requires_grad: bool

    @property
    def spec(self) -> Spec | None:
        """Its shape, dtype and device."""
        outputs = self.node.outputs
        return outputs[0] if outputs else None


@dataclass(frozen=True, slots=True)
class Root:
    """A traced tensor: output number `output` of `node`."""

    node: Node
    output: int
    name: str

    @property
    def spec(self) -> Spec | None:
        """Its shape, dtype and device."""
        outputs = self.node.outputs
        return outputs[self.output] if self.output < len(outputs) else None


@dataclass(frozen=True, slots=True)
class Saved:
    """A tensor that a node keeps for its backward."""

    graph: Graph
    row: int

    @property
    def name(self) -> str:
        """Autograd's name for it: `self`, `other`, `result`."""
        return self.graph.name(int(self.graph.saved_table.name[self.row]))

    @property
    def spec(self) -> Spec | None:
        """Its shape, dtype and device; None where it is packed or freed."""
        row = int(self.graph.saved_table.spec[self.row])
        return self.graph.specs[row] if row >= 0 else None

    @property
    def bytes(self) -> int:
        """Bytes of the storage that it keeps alive."""
        return int(self.graph.saved_table.bytes[self.row])

    @property
    def state(self) -> SavedState:
        """Held, packed by a saved-tensor hook, or freed already."""
        return SavedState(self.graph.saved_table.state[self.row])
