"""From what the close watch saw to tables: cuts, where their values went, in-place writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from autograd_inspect.autograd.details import Interned, make_spec, spec_of
from autograd_inspect.autograd.walker import Names, Walk
from autograd_inspect.model.flow import CutKind, CutLeafTable, CutTable, CutUseTable, WriteTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Ints, Kind, Spec
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.cuts import Cut, with_upstream
from autograd_inspect.recording.flow import Entering, Flow
from autograd_inspect.recording.lineage import cuts_behind
from autograd_inspect.recording.places import Places
from autograd_inspect.recording.sites import OUTSIDE
from autograd_inspect.recording.writes import Written

#: Nodes listed for one cut: a cut in a loop enters the graph at every turn.
_MOST_ENTRIES = 12

#: Operations that only change how a tensor lies.
_SHAPING = {
    *("t", "transpose", "permute", "expand", "view", "reshape", "_reshape_alias", "unsqueeze"),
    *("squeeze", "clone", "_to_copy", "to_copy", "alias", "slice", "select", "_unsafe_view"),
}

Where = tuple[CutKind, str, int, int, int]
"""Kind, operation, and rows of stack, module and region."""

CutsByPlace = dict[Where, list[Cut]]
"""Cuts by place: those that read the same are one."""

Entries = Mapping[Cut, Sequence[int]]
"""The nodes of the captured graph that values from each cut went into."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossings:
    """What the close watch saw by the time of a capture; cuts, until they are asked for."""

    flow: Flow
    entries: Entries
    ends: frozenset[Cut]
    writes: Mapping[int, Written]

    @classmethod
    def seen_by(cls, flow: Flow, walked: Walk, lost: Sequence[torch.Tensor]) -> Crossings:
        """Take what concerns this graph: all cuts, and the writes to what its nodes saved.

        `lost` are tensors that should have been roots: the cuts behind them reached the root.
        """
        ends = cuts_behind(flow.lineage.tainted(lost))
        last = flow.writes.last
        writes = {row: last[at] for row, at in enumerate(walked.storages) if at in last}
        return cls(flow, _entries(walked), ends, writes)

    def put_into(self, graph: Graph, places: Places, leaf_names: Names) -> Graph:
        """Give the graph with all of it."""
        names: Interned[str] = Interned(graph.names)
        specs: Interned[Spec] = Interned(graph.specs)
        by_place = _merged(self.flow.cuts, places)
        rows = self._rows(by_place, names, specs)
        leaves = [
            (row, names[name])
            for row, cuts in enumerate(by_place.values())
            for name in dict.fromkeys(n for cut in cuts for n in _leaf_names(cut, leaf_names))
        ]
        uses = [
            (row, names[op], stack, node, times)
            for row, cuts in enumerate(by_place.values())
            for cut in cuts
            for op, stack, node, times in self._uses(cut, graph, places)
        ]
        writes = self._write_rows(names, places)
        saved = replace(graph.saved_table, write=self._write_of(graph.saved_table.storage))
        return replace(
            graph,
            saved_table=saved,
            cut_table=CutTable(*_columns(rows, "uint8", *5 * ["int32"], "int64", *3 * ["bool"])),
            cut_leaf_table=CutLeafTable(*_columns(leaves, "int32", "int32")),
            cut_use_table=CutUseTable(*_columns(uses, *4 * ["int32"], "int64")),
            write_table=WriteTable(*_columns(writes, *3 * ["int32"], "int64")),
            names=tuple(names),
            specs=tuple(specs),
        )

    def _rows(
        self, by_place: CutsByPlace, names: Interned[str], specs: Interned[Spec]
    ) -> list[tuple[object, ...]]:
        """Describe the cuts, those of one place together."""
        # Values went into the graph also by way of later cuts.
        reaching = with_upstream([*self.entries, *self.ends])
        return [
            (
                kind,
                names[op],
                stack,
                module,
                region,
                specs[make_spec(cuts[0].spec)],
                sum(cut.times for cut in cuts),
                any(cut.raised for cut in cuts),
                not reaching.isdisjoint(cuts),
                any(cut.truncates for cut in cuts),
            )
            for (kind, op, stack, module, region), cuts in by_place.items()
        ]

    def _uses(self, cut: Cut, graph: Graph, places: Places) -> list[tuple[str, int, int, int]]:
        """List who took the values: nodes of the graph by number, then other operations."""
        entered = [
            (graph.node(node).title, int(graph.node_table.stack[node]), node, 1)
            for node in _takers(graph, self.entries.get(cut, ()))[:_MOST_ENTRIES]
        ]
        taken = {(op, stack) for op, stack, _, _ in entered}
        others = [(use.op, places.stack(use.spot), -1, use.times) for use in cut.uses.values()]
        return [*entered, *(use for use in others if (_bare(use[0]), use[1]) not in taken)]

    def _write_rows(self, names: Interned[str], places: Places) -> list[tuple[int, int, int, int]]:
        return [
            (names[one.op], places.stack(one.spot), places.module(one.spot[1]), one.version)
            for one in self.writes.values()
        ]

    def _write_of(self, storage: Ints) -> Ints:
        row_of = {at: row for row, at in enumerate(self.writes)}
        return np.array([row_of.get(at, -1) for at in storage.tolist()], np.int32)


def _entries(walked: Walk) -> dict[Cut, list[int]]:
    """Find the nodes that were marked as taking values which had come out of a cut."""
    found: dict[Cut, list[int]] = {}
    for number, node in enumerate(walked.nodes):
        mark = node.metadata.get(MARK, ())
        if len(mark) > 2 and type(mark[2]) is Entering:
            for cut in mark[2].cuts:
                found.setdefault(cut, []).append(number)
    return found


def _takers(graph: Graph, nodes: Sequence[int]) -> list[int]:
    """Leave out what an operation made besides: leaves, and nodes that reshape its other inputs.

    What an operation is composed of, as a cosine is of products and norms, all took the values.
    """
    stack, kind = graph.node_table.stack, graph.node_table.kind
    marked = set(nodes)
    beside = {
        edge.target.index
        for node in nodes
        for edge in graph.node(node).edges
        if edge.target is not None
        and edge.target.index in marked
        and stack[edge.target.index] == stack[node]
        and edge.target.title in _SHAPING
    }
    return [node for node in nodes if node not in beside and kind[node] != Kind.LEAF]


def _merged(cuts: Iterable[Cut], places: Places) -> CutsByPlace:
    """Put cuts together that read the same: python may compile one line twice."""
    found: CutsByPlace = {}
    for cut in cuts:
        site, call = cut.spot
        region = -1 if cut.region is None else places.stack((cut.region, OUTSIDE))
        where = cut.kind, cut.op, places.stack((site, call)), places.module(call), region
        found.setdefault(where, []).append(cut)
    return found


def _leaf_names(cut: Cut, names: Names) -> list[str]:
    """Name the leaves behind a cut; by their shape where nothing names them.

    Those that have gone since keep the name they had when a graph was last captured.
    """
    for key, reference in cut.leaves.items():
        leaf = reference()
        if leaf is not None and (key in names or key not in cut.named):
            cut.named[key] = names.get(key) or f"leaf {spec_of(leaf).shape_text}"
    return list(cut.named.values())


def _bare(op: str) -> str:
    """Strip what stands in front of a function, to compare it with the name of a node."""
    return op.rpartition(".")[2].strip("_")


def _columns(rows: Sequence[tuple[object, ...]], *dtypes: str) -> list[np.ndarray[Any, Any]]:
    columns = list(zip(*rows, strict=True)) or [()] * len(dtypes)
    return [np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)]
