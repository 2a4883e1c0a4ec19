"""The columns a graph is made of.

A graph of a million nodes is a few dozen arrays, not a million objects. Each table here is one
family of equally long arrays, and its field names are the member names in a capture file
(`NodeTable.op` is `nodes.op.npy`), so a column is added by adding a field.

Integers that point elsewhere are row numbers; -1 means "none".
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

# Written out: the store reads the dtypes off them, and since numpy 2.5 `NDArray` does not tell its.
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int32]]
Longs = np.ndarray[Any, np.dtype[np.int64]]

Table = TypeVar("Table")


#: Columns that older captures lack are read as if they held this throughout.
_SINCE_1_1 = {"absent": -1}
_ZERO_SINCE_1_1 = {"absent": 0}
_SINCE_1_2 = {"absent": -1}


def empty(table: type[Table]) -> Table:
    """Make a table without rows."""
    hints = get_type_hints(table)
    dtypes = {one.name: get_args(get_args(hints[one.name])[1])[0] for one in fields(table)}  # type: ignore[arg-type]
    return table(**{name: np.zeros(0, dtype) for name, dtype in dtypes.items()})


class Kind(IntEnum):
    """What a node is."""

    OPERATION = 0
    LEAF = 1
    VIEW = 2
    CUSTOM = 3
    COMPILED = 4
    CHECKPOINT = 5
    INPLACE = 6
    HOOK = 7

    @property
    def label(self) -> str:
        """The word shown to people."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    Kind.OPERATION: "operation",
    Kind.LEAF: "leaf",
    Kind.VIEW: "view",
    Kind.CUSTOM: "custom function",
    Kind.COMPILED: "compiled",
    Kind.CHECKPOINT: "checkpoint",
    Kind.INPLACE: "in-place write to a view",
    Kind.HOOK: "module backward hook",
}


class SavedState(IntEnum):
    """Where a saved tensor was when the graph was walked."""

    HELD = 0
    PACKED = 1
    FREED = 2


class SavedRole(IntEnum):
    """What a saved tensor is to the program."""

    UNKNOWN = 0
    PARAMETER = 1
    BUFFER = 2
    INPUT = 3
    ACTIVATION = 4

    @property
    def label(self) -> str:
        """The word shown to people."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape, dtype and device of a tensor; a symbolic size is kept as its text."""

    shape: tuple[int | str, ...]
    dtype: str
    device: str

    @property
    def shape_text(self) -> str:
        """The shape as PyTorch users write it: `[16, 100]`, `[]` for a scalar."""
        return f"[{', '.join(map(str, self.shape))}]"

    def __str__(self) -> str:
        """Shape, then dtype and device where they are not the usual ones."""
        words = [self.shape_text]
        if self.dtype != "float32":
            words.append(self.dtype)
        if self.device != "cpu":
            words.append(self.device)
        return " ".join(words)


@dataclass(frozen=True, slots=True, eq=False)
class NodeTable:
    """One row per node, roots first, each node after the one that led to it first.

    op          row in `Graph.ops`
    kind        a `Kind`
    sequence    autograd's sequence number (rises in forward order, per thread), -1 for leaves
    depth       edges on the longest path from a root
    attributes  row in `Graph.attributes`: the scalars the node saved
    hooks       hooks registered, where torch shows the number, else -1
    stack       row in `Graph.stacks`: the lines that made it, -1 where not recorded
    call        row in `CallTable`: the module call it was made in
    variable    row in `Graph.names`: the variable that its output was bound to
    turn        the how-manieth node that backward ran, from 0; -1 where not run, or not probed
    spent       host nanoseconds of its backward, nodes that ran inside included; -1 likewise
    """

    op: Ints
    kind: Bytes
    sequence: Longs
    depth: Ints
    attributes: Ints
    hooks: Ints
    stack: Ints = field(metadata=_SINCE_1_1)
    call: Ints = field(metadata=_SINCE_1_1)
    variable: Ints = field(metadata=_SINCE_1_1)
    turn: Ints = field(metadata=_SINCE_1_2)
    spent: Longs = field(metadata=_SINCE_1_2)


@dataclass(frozen=True, slots=True, eq=False)
class EdgeTable:
    """The outgoing edges of node i are rows `start[i]` to `start[i + 1]`, one per input slot.

    target  the next node, -1 where the slot's input needed no gradient (an undefined edge)
    output  which output of the next node the edge carries the gradient of
    passed  row in `PassedTable`: the gradient that flowed along the edge, -1 where not measured
    """

    start: Longs
    target: Ints
    output: Ints
    passed: Ints = field(metadata=_SINCE_1_2)


@dataclass(frozen=True, slots=True, eq=False)
class OutputTable:
    """What the forward operation of node i put out: rows `start[i]` to `start[i + 1]`.

    spec     row in `Graph.specs`, -1 where torch does not tell
    arrived  row in `PassedTable`: the gradient of the output, summed over the edges that lead to it
    """

    start: Longs
    spec: Ints
    arrived: Ints = field(metadata=_SINCE_1_2)


@dataclass(frozen=True, slots=True, eq=False)
class SavedTable:
    """One row per tensor that a node keeps for its backward.

    name     row in `Graph.names`: `self`, `other`, `result`, ...
    spec     row in `Graph.specs`, -1 where the tensor is packed or freed
    bytes    size of the storage it keeps alive, in bytes
    storage  equal for tensors that share a storage, -1 where unknown
    leaf     row in `LeafTable` of the leaf whose storage it is
    state    a `SavedState`
    role     a `SavedRole`
    origin   the node that made it, -1 where none of the graph did
    packer   row in `Graph.names`: the hook that packed it
    stale    it was overwritten in place since it was saved
    write    row in `WriteTable`: the last in-place write to its storage
    """

    node: Ints
    name: Ints
    spec: Ints
    bytes: Longs
    storage: Ints
    leaf: Ints
    state: Bytes
    role: Bytes = field(metadata=_ZERO_SINCE_1_1)
    origin: Ints = field(metadata=_SINCE_1_1)
    packer: Ints = field(metadata=_SINCE_1_1)
    stale: Bools = field(metadata=_ZERO_SINCE_1_1)
    write: Ints = field(metadata=_SINCE_1_1)


@dataclass(frozen=True, slots=True, eq=False)
class LeafTable:
    """One row per AccumulateGrad node; shape and dtype are those of its only output.

    name     row in `Graph.names`, -1 where no live module or variable names it
    aliases  row in `Graph.names`: its other paths, by commas, where several modules share it
    """

    node: Ints
    name: Ints
    requires_grad: Bools
    aliases: Ints = field(metadata=_SINCE_1_1)


@dataclass(frozen=True, slots=True, eq=False)
class RootTable:
    """One row per traced tensor.

    output  which output of `node` the tensor is
    name    row in `Graph.names`, -1 where it has none
    """

    node: Ints
    output: Ints
    name: Ints


@dataclass(frozen=True, slots=True, eq=False)
class CallTable:
    """One row per call of a module in which a node of the graph, or a call further in, was made.

    module  row in `Graph.modules`
    number  the how-manieth call of that module it was in this graph, from 1
    parent  row in this table: the call that it was made in, a smaller number; -1 for none
    """

    module: Ints
    number: Ints
    parent: Ints
