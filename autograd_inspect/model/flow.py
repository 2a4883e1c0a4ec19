"""What the running program did to values on their way: where it cut the graph, what it overwrote.

Rows of `names`, `stacks`, `modules` and `specs` are rows of the graph's tables of these names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.tables import Bools, Bytes, Ints, Longs, Spec

if TYPE_CHECKING:
    from autograd_inspect.model.graph import Graph
    from autograd_inspect.model.rows import Node


#: What older captures lack is read as if it held this throughout.
_SINCE_1_3 = {"absent": 0}


class CutKind(IntEnum):
    """How a value came out of an operation without the graph of what went in."""

    DETACH = 0
    DATA = 1
    NO_GRAD = 2
    INFERENCE = 3
    NUMBER = 4
    NUMPY = 5
    NEW_TENSOR = 6
    INTEGER = 7
    FACTORY = 8
    SAMPLE = 9
    COPY = 10
    PARAMETER = 11
    CUSTOM = 12
    OUT = 13
    NO_CREATE_GRAPH = 14
    CHECKPOINT = 15
    NOT_DIFFERENTIABLE = 16

    @property
    def text(self) -> str:
        """What happened, to follow the operation in a sentence."""
        return _TEXTS[self]


_TEXTS = {
    CutKind.DETACH: "detaches it from the graph",
    CutKind.DATA: "takes the values without the graph",
    CutKind.NO_GRAD: "ran while gradients were switched off",
    CutKind.INFERENCE: "ran under inference_mode",
    CutKind.NUMBER: "makes a Python number of it",
    CutKind.NUMPY: "leaves torch for numpy",
    CutKind.NEW_TENSOR: "copies the values into a new tensor",
    CutKind.INTEGER: "gives an integer or boolean, which has no derivative",
    CutKind.FACTORY: "reads it as a number",
    CutKind.SAMPLE: "draws a sample, which has no derivative; rsample has one",
    CutKind.COPY: "copies the values without the graph",
    CutKind.PARAMETER: "makes a new leaf of the values",
    CutKind.CUSTOM: "is a custom Function whose result requires no grad",
    CutKind.OUT: "writes to out=, which autograd does not follow",
    CutKind.NO_CREATE_GRAPH: "ran without create_graph, so the gradient has no graph",
    CutKind.CHECKPOINT: "is a reentrant checkpoint, and sees no input that requires grad",
    CutKind.NOT_DIFFERENTIABLE: "has no derivative",
}


@dataclass(frozen=True, slots=True, eq=False)
class CutTable:
    """One row per place of the program that cut the graph, in the order they were first seen.

    kind     a `CutKind`
    op       row in `names`: what was called, `Tensor.detach`, `torch.argmax`
    stack    row in `stacks`
    module   row in `modules`: the module whose forward it ran in
    region   row in `stacks`: where gradients were switched off, -1 where they were on
    spec     row in `specs`: what went in
    times    how often it happened
    raised   the operation raised
    reaches  what came out went into the captured root
    truncates it happens again and again before one backward, each time to what was computed from
             what it put out the time before and from nothing earlier
    """

    kind: Bytes
    op: Ints
    stack: Ints
    module: Ints
    region: Ints
    spec: Ints
    times: Longs
    raised: Bools
    reaches: Bools
    truncates: Bools = field(metadata=_SINCE_1_3)


@dataclass(frozen=True, slots=True, eq=False)
class CutLeafTable:
    """The leaves behind each cut, sorted by cut.

    cut   row in `CutTable`
    name  row in `names`
    """

    cut: Ints
    name: Ints


@dataclass(frozen=True, slots=True, eq=False)
class CutUseTable:
    """Where the values that came out of each cut went, sorted by cut.

    cut    row in `CutTable`
    op     row in `names`: the operation that took it
    stack  row in `stacks`
    node   the node of the captured graph that it went into, -1 for none
    times  how often
    """

    cut: Ints
    op: Ints
    stack: Ints
    node: Ints
    times: Longs


@dataclass(frozen=True, slots=True, eq=False)
class WriteTable:
    """The last in-place write to each storage that a node saved; `SavedTable.write` points here.

    op       row in `names`: `Tensor.add_`
    stack    row in `stacks`
    module   row in `modules`
    version  the tensor's version after it
    """

    op: Ints
    stack: Ints
    module: Ints
    version: Longs


@dataclass(frozen=True, slots=True)
class Write:
    """An in-place write to a storage."""

    graph: Graph
    row: int

    @property
    def op(self) -> str:
        """What was called: `Tensor.add_`."""
        return self.graph.name(int(self.graph.write_table.op[self.row]))

    @property
    def place(self) -> Place | None:
        """The innermost line of the user's code that wrote."""
        return self.graph.place_of(int(self.graph.write_table.stack[self.row]))

    @property
    def version(self) -> int:
        """The tensor's version after the write."""
        return int(self.graph.write_table.version[self.row])


@dataclass(frozen=True, slots=True)
class CutUse:
    """Where a value that a cut put out went: the operation that took it, and its line.

    `node` is the node of the graph that it went into, None where it went into none.
    """

    op: str
    place: Place | None
    node: Node | None
    times: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A place of the program where something that requires grad went in and lost its graph."""

    graph: Graph
    row: int

    @property
    def kind(self) -> CutKind:
        """How the graph was lost."""
        return CutKind(self.graph.cut_table.kind[self.row])

    @property
    def op(self) -> str:
        """What was called: `Tensor.detach`."""
        return self.graph.name(int(self.graph.cut_table.op[self.row]))

    @property
    def place(self) -> Place | None:
        """The innermost line of the user's code."""
        return self.graph.place_of(int(self.graph.cut_table.stack[self.row]))

    @property
    def stack(self) -> tuple[Place, ...]:
        """The lines of the user's code that led there, innermost first."""
        return self.graph.lines_of(int(self.graph.cut_table.stack[self.row]))

    @property
    def region(self) -> Place | None:
        """Where gradients were switched off, None where they were on."""
        return self.graph.place_of(int(self.graph.cut_table.region[self.row]))

    @property
    def module(self) -> Module | None:
        """The module whose forward it ran in."""
        row = int(self.graph.cut_table.module[self.row])
        return self.graph.modules[row] if row >= 0 else None

    @property
    def spec(self) -> Spec | None:
        """Shape, dtype and device of what went in."""
        row = int(self.graph.cut_table.spec[self.row])
        return self.graph.specs[row] if row >= 0 else None

    @property
    def times(self) -> int:
        """How often it happened."""
        return int(self.graph.cut_table.times[self.row])

    @property
    def raised(self) -> bool:
        """Whether the operation raised."""
        return bool(self.graph.cut_table.raised[self.row])

    @property
    def reaches(self) -> bool:
        """Whether what came out went on into the captured root."""
        return bool(self.graph.cut_table.reaches[self.row])

    @property
    def truncates(self) -> bool:
        """Whether it cuts each step of a recurrence off from all the steps before."""
        return bool(self.graph.cut_table.truncates[self.row])

    @property
    def leaves(self) -> tuple[str, ...]:
        """The names of the leaves behind what went in."""
        table = self.graph.cut_leaf_table
        first, last = np.searchsorted(table.cut, [self.row, self.row + 1])
        return tuple(map(self.graph.name, table.name[first:last].tolist()))

    @property
    def uses(self) -> tuple[CutUse, ...]:
        """Where its value went afterwards, as far as operations show."""
        table = self.graph.cut_use_table
        first, last = np.searchsorted(table.cut, [self.row, self.row + 1])
        return tuple(
            CutUse(
                op=self.graph.name(int(table.op[row])),
                place=self.graph.place_of(int(table.stack[row])),
                node=self.graph.node(int(table.node[row])) if table.node[row] >= 0 else None,
                times=int(table.times[row]),
            )
            for row in range(int(first), int(last))
        )
