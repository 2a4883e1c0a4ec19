"""Cuts and in-place writes made by hand, for graphs of `build.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from autograd_inspect.model.flow import CutKind, CutLeafTable, CutTable, CutUseTable, WriteTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.tables import SavedRole, SavedState, SavedTable

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class CutMade:
    """A cut. Places are `train.py:5 step`; uses are (operation, place, node or -1, times)."""

    op: str
    kind: CutKind
    place: str = ""
    region: str = ""
    module: Module | None = None
    leaves: tuple[str, ...] = ()
    uses: tuple[tuple[str, str, int, int], ...] = ()
    times: int = 1
    reaches: bool = False
    raised: bool = False


@dataclass(frozen=True)
class Overwritten:
    """A saved tensor of a node that was overwritten, by the operation and at the place if known."""

    node: int
    name: str
    op: str = ""
    place: str = ""


#: What most tests need: one cut on the way to the root, one in a no_grad region that is not.
TWO_CUTS = (
    CutMade(
        "torch.sigmoid",
        CutKind.NO_GRAD,
        place="train.py:6 step",
        region="train.py:4 step",
        module=Module("net", "gate", "Linear"),
    ),
    CutMade(
        "Tensor.detach",
        CutKind.DETACH,
        place="train.py:5 step",
        leaves=("net.a", "net.b"),
        uses=(("mul", "train.py:8 step", 1, 2),),
        times=3,
        reaches=True,
    ),
)


class _Rows:
    """Tables of a graph that grow by what is not in them yet."""

    def __init__(self, graph: Graph) -> None:
        self.names, self.places = list(graph.names), list(graph.places)
        self.stacks, self.modules = list(graph.stacks), list(graph.modules)

    def name(self, name: str) -> int:
        return _row(self.names, name)

    def stack(self, text: str) -> int:
        if not text:
            return -1
        where, _, function = text.partition(" ")
        file, _, line = where.rpartition(":")
        place = _row(self.places, Place(file, int(line), function or "<module>"))
        return _row(self.stacks, Stack((place,)))

    def module(self, module: Module | None) -> int:
        return -1 if module is None else _row(self.modules, module)

    def into(self, graph: Graph) -> Graph:
        return replace(
            graph,
            names=tuple(self.names),
            places=tuple(self.places),
            stacks=tuple(self.stacks),
            modules=tuple(self.modules),
        )


def _row(table: list[Thing], value: Thing) -> int:
    if value not in table:
        table.append(value)
    return table.index(value)


def with_cuts(graph: Graph, cuts: Sequence[CutMade] = TWO_CUTS) -> Graph:
    """Say that a graph's program cut it; the tensors that went in have the first of its specs."""
    rows = _Rows(graph)
    leaves = [(row, rows.name(name)) for row, cut in enumerate(cuts) for name in cut.leaves]
    uses = [
        (row, rows.name(op), rows.stack(place), node, times)
        for row, cut in enumerate(cuts)
        for op, place, node, times in cut.uses
    ]
    cut_of_leaf, names = _columns(leaves, 2)
    cut_of_use, ops, stacks, nodes, times = _columns(uses, 5)
    made = replace(
        graph,
        cut_table=CutTable(
            kind=np.array([cut.kind for cut in cuts], np.uint8),
            op=np.array([rows.name(cut.op) for cut in cuts], np.int32),
            stack=np.array([rows.stack(cut.place) for cut in cuts], np.int32),
            module=np.array([rows.module(cut.module) for cut in cuts], np.int32),
            region=np.array([rows.stack(cut.region) for cut in cuts], np.int32),
            spec=np.zeros(len(cuts), np.int32),
            times=np.array([cut.times for cut in cuts], np.int64),
            raised=np.array([cut.raised for cut in cuts], np.bool_),
            reaches=np.array([cut.reaches for cut in cuts], np.bool_),
            truncates=np.zeros(len(cuts), np.bool_),
        ),
        cut_leaf_table=CutLeafTable(cut_of_leaf, names),
        cut_use_table=CutUseTable(cut_of_use, ops, stacks, nodes, times.astype(np.int64)),
    )
    return rows.into(made)


def with_overwritten(graph: Graph, saved: Sequence[Overwritten]) -> Graph:
    """Say that saved tensors were overwritten since they were saved."""
    rows = _Rows(graph)
    count, writes = len(saved), [one for one in saved if one.op]
    none = np.full(count, -1, np.int32)
    made = replace(
        graph,
        saved_table=SavedTable(
            node=np.array([one.node for one in saved], np.int32),
            name=np.array([rows.name(one.name) for one in saved], np.int32),
            spec=np.zeros(count, np.int32),
            bytes=np.full(count, 24, np.int64),
            storage=np.arange(count, dtype=np.int32),
            leaf=none,
            state=np.full(count, SavedState.HELD, np.uint8),
            role=np.full(count, SavedRole.ACTIVATION, np.uint8),
            origin=none,
            packer=none,
            stale=np.ones(count, np.bool_),
            write=np.array([writes.index(one) if one.op else -1 for one in saved], np.int32),
        ),
        write_table=WriteTable(
            op=np.array([rows.name(one.op) for one in writes], np.int32),
            stack=np.array([rows.stack(one.place) for one in writes], np.int32),
            module=np.full(len(writes), -1, np.int32),
            version=np.ones(len(writes), np.int64),
        ),
    )
    return rows.into(made)


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[np.ndarray]:
    return list(np.array(rows, np.int32).reshape(len(rows), count).T)
