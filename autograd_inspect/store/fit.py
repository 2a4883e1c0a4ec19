"""Whether the parts of a capture fit together, so that nothing later has to ask.

A file that passes can be read in any order without an index out of range, an endless walk or a row
that silently means another one: numpy takes -1 for the last row where we mean "none".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.curves import CurveKind, Curves
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Holding, Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, SavedRole, SavedState
from autograd_inspect.store.columns import (
    Array,
    Column,
    arrays_of,
    counts_of,
    interned,
    parts_of,
)

#: What a column's figures are rows of: another group, a table of `interned()`, or the members of
#: an enum. A column is looked up by its full name, then by that of its field.
_POINTS_INTO: dict[str, str | type[IntEnum]] = {
    "node": "nodes",
    "target": "nodes",
    "depth": "nodes",  # a path has no more edges than there are nodes
    "origin": "nodes",
    "leaf": "leaves",
    "call": "calls",
    "parent": "calls",
    "write": "writes",
    "cut": "cuts",
    "turn": "nodes",
    "passed": "passed",
    "arrived": "passed",
    "nodes.op": "graph.ops",
    "op": "graph.names",
    "name": "graph.names",
    "aliases": "graph.names",
    "variable": "graph.names",
    "packer": "graph.names",
    "spec": "graph.specs",
    "attributes": "graph.attributes",
    "stack": "graph.stacks",
    "region": "graph.stacks",
    "module": "graph.modules",
    "grads.name": "grads.names",
    "grads.spec": "grads.specs",
    "grads.dtype": "grads.dtypes",
    "curves.name": "curves.names",
    "points.curve": "curves",
    "nodes.kind": Kind,
    "cuts.kind": CutKind,
    "curves.kind": CurveKind,
    "state": SavedState,
    "role": SavedRole,
    "reason": Reason,
    "holding": Holding,
}

#: Columns that are never negative; in others that point somewhere -1 means "none".
_NEVER_NONE = frozenset(
    {
        "nodes.op",
        "nodes.depth",
        "nodes.attributes",
        "edges.output",
        "saved.node",
        "leaves.node",
        "roots.node",
        "roots.output",
        "grads.name",
        "calls.module",
        "writes.op",
        "cuts.op",
        "cut_leaves.cut",
        "cut_leaves.name",
        "cut_uses.cut",
        "cut_uses.op",
        "curves.leaf",
        "curves.node",
        "curves.name",
        "points.curve",
        "outside.name",
    }
)

#: Columns that are searched for the rows of a node or a cut.
_SORTED = frozenset({"saved.node", "cut_leaves.cut", "cut_uses.cut", "points.curve"})


def check(capture: Capture) -> None:
    """Raise ValueError, naming the column, where a capture does not fit together."""
    counts = counts_of(capture)
    for column, array in arrays_of(capture):
        if array.shape != column.shape(counts) or array.dtype != column.dtype:
            raise ValueError(f"{column.name} is {array.dtype}{array.shape}, which does not fit")
    sizes = counts | _sizes_of_interned(capture)
    for column, array in arrays_of(capture):
        if column.field.name == "start":
            _check_start(column, array, counts[column.group])
        else:
            _check_figures(column, array, sizes)
    _check_edges(capture.graph)
    _check_calls(capture.graph)
    _check_attributes(capture.graph)
    _check_stacks(capture.graph)
    _check_births(capture.graph)
    _check_curves(capture.curves)
    if counts["times"] not in {0, counts["nodes"]}:
        raise ValueError("times has rows for some of the nodes only")


def points_into(column: Column) -> str | type[IntEnum] | None:
    """Name what a column's figures are rows of; None where they are figures, not rows."""
    return _POINTS_INTO.get(column.name, _POINTS_INTO.get(column.field.name))


def _sizes_of_interned(capture: Capture) -> dict[str, int]:
    parts = parts_of(capture)
    return {
        f"{part}.{name}": len(getattr(parts[part], name))
        for part, names in interned().items()
        for name in names
    }


def _check_start(column: Column, array: Array, count: int) -> None:
    if array[0] != 0 or array[-1] != count or (array[1:] < array[:-1]).any():
        raise ValueError(f"{column.name} does not rise from 0 to {count}")


def _check_figures(column: Column, array: Array, sizes: Mapping[str, int]) -> None:
    """Check that rows are within the table that they are rows of, and sorted where need be."""
    into = points_into(column)
    if not array.size or (into is None and column.name not in _NEVER_NONE):
        return
    least = 0 if column.name in _NEVER_NONE else -1
    below = math.inf if into is None else sizes[into] if isinstance(into, str) else len(into)
    if not least <= array.min() <= array.max() < below:
        raise ValueError(f"{column.name} points outside its table")
    if column.name in _SORTED and (array[1:] < array[:-1]).any():
        raise ValueError(f"{column.name} is not sorted")


def _check_edges(graph: Graph) -> None:
    """Check that every edge leads deeper, so that no walk can go in circles."""
    depth, edges = graph.node_table.depth, graph.edge_table
    defined = edges.target >= 0
    source_depth = np.repeat(depth, np.diff(edges.start))
    if (depth[edges.target[defined]] <= source_depth[defined]).any():
        raise ValueError("edges.target leads back towards the root")


def _check_calls(graph: Graph) -> None:
    """Check that every call comes after the one that it was made in, for the same reason."""
    parent = graph.call_table.parent
    if (parent >= np.arange(len(parent))).any():
        raise ValueError("calls.parent leads in circles")


def _check_attributes(graph: Graph) -> None:
    for text in graph.attributes:
        if type(json.loads(text)) is not dict:
            raise ValueError(f"{text!r:.40} is no set of attributes")


def _check_stacks(graph: Graph) -> None:
    lines = {row for stack in graph.stacks for row in stack.lines}
    libraries = {stack.library for stack in graph.stacks} - {-1}
    if any(row not in range(len(graph.places)) for row in lines | libraries):
        raise ValueError("graph.stacks points outside graph.places")


def _check_births(graph: Graph) -> None:
    slots = np.diff(graph.edge_table.start)
    for birth in graph.births:
        if not (0 <= birth.node < len(graph) and 0 <= birth.slot < slots[birth.node]):
            raise ValueError("graph.births points outside the graph")
        if not (-1 <= birth.source < len(graph) and -1 <= birth.made < len(graph.stacks)):
            raise ValueError("graph.births points outside the graph")


def _check_curves(curves: Curves) -> None:
    """Check that whatever is drawn against a leaf has a value for each of the leaf's."""
    sizes = np.bincount(curves.points.curve, minlength=len(curves))
    for leaf in np.unique(curves.table.leaf):
        of_leaf = curves.table.leaf == leaf
        kinds = curves.table.kind[of_leaf]
        if np.count_nonzero(kinds == CurveKind.LEAF) != 1 or np.ptp(sizes[of_leaf]):
            raise ValueError(f"the curves of leaf {leaf} do not fit together")
