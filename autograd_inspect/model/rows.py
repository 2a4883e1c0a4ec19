"""One row at a time: a node, edge, leaf, root, saved tensor or module call of a graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autograd_inspect.model.flow import Write
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.probes import Passed, combined
from autograd_inspect.model.tables import Kind, SavedRole, SavedState, Spec

if TYPE_CHECKING:
    from autograd_inspect.model.graph import Graph


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
    def title(self) -> str:
        """What ran forward: `mul` for `MulBackward0`."""
        return forward_name(self.op, self.kind)

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
                gradient=self.graph.passed(int(table.passed[row])),
            )
            for row in range(first, last)
        )

    @property
    def gradients(self) -> tuple[Passed | None, ...]:
        """The gradient of each output, as it arrived; None where none did, or none was measured."""
        table = self.graph.output_table
        rows = table.arrived[table.start[self.index] : table.start[self.index + 1]]
        return tuple(map(self.graph.passed, rows.tolist()))

    @property
    def gradient(self) -> Passed | None:
        """The gradient of all its outputs together, None where none arrived or was measured."""
        found = [one for one in self.gradients if one is not None]
        return combined(found) if found else None

    @property
    def turn(self) -> int:
        """The how-manieth node that backward ran, from 0; -1 where not probed."""
        return int(self.graph.node_table.turn[self.index])

    @property
    def spent(self) -> int:
        """Nanoseconds that its backward took, -1 where not probed."""
        return int(self.graph.node_table.spent[self.index])

    @property
    def saved(self) -> tuple[Saved, ...]:
        """The tensors it keeps for its backward."""
        table = self.graph.saved_table
        first, last = np.searchsorted(table.node, [self.index, self.index + 1])
        return tuple(Saved(self.graph, row) for row in range(int(first), int(last)))

    @property
    def place(self) -> Place | None:
        """The innermost line of the user's code that made it, None where not recorded."""
        return self.graph.place_of(int(self.graph.node_table.stack[self.index]))

    @property
    def stack(self) -> tuple[Place, ...]:
        """The lines of the user's code that led to it, innermost first."""
        return self.graph.lines_of(int(self.graph.node_table.stack[self.index]))

    @property
    def library_place(self) -> Place | None:
        """The line of an installed library that made it, where the user's own lies further out."""
        row = int(self.graph.node_table.stack[self.index])
        library = self.graph.stacks[row].library if row >= 0 else -1
        return self.graph.places[library] if library >= 0 else None

    @property
    def call(self) -> Call | None:
        """The module call it was made in, None outside of modules or where not recorded."""
        row = int(self.graph.node_table.call[self.index])
        return Call(self.graph, row) if row >= 0 else None

    @property
    def variable(self) -> str:
        """The variable that its output was bound to, empty where none is known."""
        return self.graph.name(int(self.graph.node_table.variable[self.index]))

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
    that input needed no gradient. `gradient` is what flowed, None where nothing was measured.
    """

    source: Node
    slot: int
    target: Node | None
    output: int
    gradient: Passed | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor that gradients accumulate into, with the names that the program has for it."""

    node: Node
    name: str
    requires_grad: bool
    aliases: tuple[str, ...] = ()

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
    def node(self) -> Node:
        """The node that keeps it."""
        return self.graph.node(int(self.graph.saved_table.node[self.row]))

    @property
    def leaf(self) -> Leaf | None:
        """The leaf whose storage it is, None where it is no leaf's."""
        row = int(self.graph.saved_table.leaf[self.row])
        return self.graph.leaves[row] if row >= 0 else None

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

    @property
    def role(self) -> SavedRole:
        """Parameter, buffer, input or activation."""
        return SavedRole(self.graph.saved_table.role[self.row])

    @property
    def origin(self) -> Node | None:
        """The node that made it, None where none of the graph did."""
        row = int(self.graph.saved_table.origin[self.row])
        return self.graph.node(row) if row >= 0 else None

    @property
    def packer(self) -> str:
        """The saved-tensor hook that packed it, empty where none did."""
        return self.graph.name(int(self.graph.saved_table.packer[self.row]))

    @property
    def stale(self) -> bool:
        """Whether it was overwritten in place since it was saved: backward will refuse it."""
        return bool(self.graph.saved_table.stale[self.row])

    @property
    def write(self) -> Write | None:
        """The last in-place write to its storage, None where none was recorded."""
        row = int(self.graph.saved_table.write[self.row])
        return Write(self.graph, row) if row >= 0 else None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a module."""

    graph: Graph
    row: int

    @property
    def module(self) -> Module:
        """The module that was called."""
        return self.graph.modules[int(self.graph.call_table.module[self.row])]

    @property
    def number(self) -> int:
        """The how-manieth call of the module in this graph, from 1."""
        return int(self.graph.call_table.number[self.row])

    @property
    def times(self) -> int:
        """How many calls of the module there are in this graph."""
        return self.graph.calls_of[int(self.graph.call_table.module[self.row])]

    @property
    def parent(self) -> Call | None:
        """The call that it was made in."""
        row = int(self.graph.call_table.parent[self.row])
        return Call(self.graph, row) if row >= 0 else None
