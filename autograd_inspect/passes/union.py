"""One graph of two: all that is there after, and what was removed of what was before."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from autograd_inspect.model.diff import ADDED, REMOVED, Diff
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Stack
from autograd_inspect.model.tables import (
    CallTable,
    EdgeTable,
    LeafTable,
    NodeTable,
    OutputTable,
    SavedTable,
)
from autograd_inspect.passes.part import Rows, edge_sources

#: The names of what the columns of `NodeTable` point into.
_POINTS_INTO = {
    "op": "ops",
    "attributes": "attributes",
    "stack": "stacks",
    "variable": "names",
}


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """Both graphs as one. The nodes after keep their numbers; those that were removed follow.

    mark       per node: `+`, `-`, `~`, or nothing
    before     per node, its number in the graph before, -1 for none
    edge_mark  per row of the edge table: `+`, `-` or nothing
    """

    graph: Graph
    mark: list[str]
    before: Rows
    edge_mark: list[str]


def union_of(diff: Diff) -> Union:
    """Join the graphs of a diff by its pairs."""
    before, after = diff.before.graph, diff.after.graph
    gone = diff.pairs.before[diff.pairs.after < 0].astype(np.int64)
    place = np.full(len(before) + 1, -1, np.int64)
    kept = (diff.pairs.before >= 0) & (diff.pairs.after >= 0)
    place[diff.pairs.before[kept]] = diff.pairs.after[kept]
    place[gone] = len(after) + np.arange(len(gone))
    back = np.full(len(after) + len(gone), -1, np.int64)
    known = np.flatnonzero(place[:-1] >= 0)
    back[place[known]] = known
    edges, edge_mark = _edges(before, after, place)
    joined = replace(
        after,
        node_table=_nodes(diff, gone),
        edge_table=edges,
        output_table=_outputs(before, after, gone),
        saved_table=_saved(before, after, place),
        leaf_table=_leaves(before, after, place),
        call_table=_calls(diff)[0],
        **{name: getattr(after, name) + getattr(before, name) for name in _JOINED},
        stacks=after.stacks + _moved_stacks(before, len(after.places)),
    )
    mark = [""] * len(after) + [REMOVED] * len(gone)
    for one in diff.differences:
        if one.mark != REMOVED:
            mark[one.node.index] = one.mark
    return Union(joined, mark, back, edge_mark)


_JOINED = ("ops", "names", "specs", "attributes", "places", "modules")


def _moved_stacks(before: Graph, places: int) -> tuple[Stack, ...]:
    """Let stacks point at their lines where those are now."""
    return tuple(
        Stack(
            tuple(line + places for line in stack.lines),
            stack.library + places if stack.library >= 0 else -1,
        )
        for stack in before.stacks
    )


def _shifted(column: Any, by: int) -> Any:
    """Let rows of a table that comes behind another point there; -1 stays."""
    return np.where(column >= 0, column + by, -1).astype(column.dtype)


def _appended(one: Any, other: Any) -> Any:
    return np.concatenate([one, other]).astype(one.dtype)


def _nodes(diff: Diff, gone: Rows) -> NodeTable:
    before, after = diff.before.graph, diff.after.graph
    columns = {}
    for field in fields(NodeTable):
        own, others = (getattr(graph.node_table, field.name) for graph in (after, before))
        others = others[gone]
        if field.name in _POINTS_INTO:
            others = _shifted(others, len(getattr(after, _POINTS_INTO[field.name])))
        elif field.name == "call":
            others = np.append(_calls(diff)[1], -1)[others]
        columns[field.name] = _appended(own, others)
    return NodeTable(**columns)


def _calls(diff: Diff) -> tuple[CallTable, Rows]:
    """Join the calls; gives the table, and where each call before is in it."""
    before, after = (capture.graph.call_table for capture in (diff.before, diff.after))
    own = np.flatnonzero(diff.calls < 0)
    place = diff.calls.copy()
    place[own] = len(after.module) + np.arange(len(own))
    table = CallTable(
        module=_appended(after.module, before.module[own] + len(diff.after.graph.modules)),
        number=_appended(after.number, before.number[own]),
        parent=_appended(after.parent, np.append(place, -1)[before.parent[own]]),
    )
    return table, place


def _edges(before: Graph, after: Graph, place: Rows) -> tuple[EdgeTable, list[str]]:
    """Join the edges; those that were there before and still are, count once."""
    source, target = edge_sources(after), after.edge_table.target.astype(np.int64)
    defined = before.edge_table.target >= 0
    old_source = place[edge_sources(before)[defined]]
    old_target = place[before.edge_table.target[defined]]
    count = int(place.max(initial=-1)) + len(after) + 2
    here, there = source * count + target, old_source * count + old_target
    gone = np.flatnonzero(~np.isin(there, here))
    new = (target >= 0) & ~np.isin(here, there)
    sources = np.concatenate([source, old_source[gone]])
    order = np.argsort(sources, kind="stable")
    marks = np.concatenate([np.where(new, 1, 0), np.full(len(gone), 2)])[order]
    nodes = len(after) + int(np.count_nonzero(place[:-1] >= len(after)))
    start = np.searchsorted(sources[order], np.arange(nodes + 1)).astype(np.int64)
    old = np.flatnonzero(defined)[gone]
    table = EdgeTable(
        start=start,
        target=np.concatenate([target, old_target[gone]])[order].astype(np.int32),
        output=_appended(after.edge_table.output, before.edge_table.output[old])[order],
        passed=_appended(after.edge_table.passed, np.full(len(old), -1))[order],
    )
    return table, [("", ADDED, REMOVED)[mark] for mark in marks.tolist()]


def _outputs(before: Graph, after: Graph, gone: Rows) -> OutputTable:
    own, others = after.output_table, before.output_table
    size = np.diff(others.start)[gone]
    within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    rows = np.repeat(others.start[gone], size) + within
    return OutputTable(
        start=np.append(own.start, own.start[-1] + np.cumsum(size)).astype(np.int64),
        spec=_appended(own.spec, _shifted(others.spec[rows], len(after.specs))),
        arrived=_appended(own.arrived, np.full(len(rows), -1)),
    )


def _saved(before: Graph, after: Graph, place: Rows) -> SavedTable:
    """Join what is saved; storages of two runs have nothing in common."""
    own, others = after.saved_table, before.saved_table
    node = place[others.node]
    rows = np.flatnonzero(node >= len(after))
    rows = rows[np.argsort(node[rows], kind="stable")]
    columns = {}
    for field in fields(SavedTable):
        column = getattr(others, field.name)[rows]
        if field.name == "node":
            column = node[rows]
        elif field.name in {"name", "packer"}:
            column = _shifted(column, len(after.names))
        elif field.name == "spec":
            column = _shifted(column, len(after.specs))
        elif field.name == "storage":
            column = _shifted(column, int(own.storage.max(initial=-1)) + 1)
        elif field.name in {"leaf", "origin", "write"}:
            column = np.full(len(rows), -1)
        columns[field.name] = _appended(getattr(own, field.name), column)
    return SavedTable(**columns)


def _leaves(before: Graph, after: Graph, place: Rows) -> LeafTable:
    own, others = after.leaf_table, before.leaf_table
    rows = np.flatnonzero(place[others.node] >= len(after))
    names = len(after.names)
    return LeafTable(
        node=_appended(own.node, place[others.node[rows]]),
        name=_appended(own.name, _shifted(others.name[rows], names)),
        requires_grad=_appended(own.requires_grad, others.requires_grad[rows]),
        aliases=_appended(own.aliases, _shifted(others.aliases[rows], names)),
    )
