"""Whether the parts of a capture fit together, so that nothing later has to ask.

A file that passes can be read in any order without an index out of range, an endless walk or a row
that silently means another one: numpy takes -1 for the last row where we mean "none".
"""

from __future__ import annotations

import json
from typing import TypeVar

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, SavedRole, SavedState
from autograd_inspect.store.columns import Array, Column, arrays_of, counts_of, interned

Entry = TypeVar("Entry")

#: What columns of these names hold, in whatever table: rows of a group, or members of an enum.
_ROWS = {
    "node": "nodes",
    "target": "nodes",
    "depth": "nodes",
    "origin": "nodes",
    "leaf": "leaves",
    "call": "calls",
    "parent": "calls",
    "write": "writes",
    "cut": "cuts",
}
_ENUMS = {
    "kind": Kind,
    "state": SavedState,
    "reason": Reason,
    "role": SavedRole,
    "cuts.kind": CutKind,
}
#: Columns that hold rows of an interned table of another name than theirs.
_WORDS = {
    "variable": "names",
    "packer": "names",
    "aliases": "names",
    "region": "stacks",
    "writes.op": "names",
    "cuts.op": "names",
    "cut_uses.op": "names",
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
    }
)


def check(capture: Capture) -> None:
    """Raise ValueError, naming the column, where a capture does not fit together."""
    counts = counts_of(capture)
    for column, array in arrays_of(capture):
        if array.shape != column.shape(counts) or array.dtype != column.dtype:
            raise ValueError(f"{column.name} is {array.dtype}{array.shape}, which does not fit")
    for column, array in arrays_of(capture):
        _check_figures(column, array, limit(capture, column), counts)
    _check_order(capture.graph)
    _check_attributes(capture.graph)
    _check_stacks(capture.graph)


def limit(capture: Capture, column: Column) -> int | None:
    """Find what a column's figures must be below; None where they are figures, not rows.

    `op` and `attributes` point into the interned `ops` and `attributes`, and so for any name.
    """
    rows, enum = _listed(_ROWS, column), _listed(_ENUMS, column)
    if rows is not None:
        return counts_of(capture)[rows]
    if enum is not None:
        return len(enum)
    part = "grads" if column.group == "grads" else "graph"
    owner = capture.gradients if part == "grads" else capture.graph
    own = (column.field.name, f"{column.field.name}s")
    wanted = (_listed(_WORDS, column),) if _listed(_WORDS, column) else own
    for words in interned()[part]:
        if words in wanted:
            return len(getattr(owner, words))
    return int(np.iinfo(column.dtype).max) + 1 if column.name in _NEVER_NONE else None


def _listed(known: dict[str, Entry], column: Column) -> Entry | None:
    """Look a column up by its full name, then by that of its field."""
    return known.get(column.name, known.get(column.field.name))


def _check_figures(column: Column, array: Array, below: int | None, counts: dict[str, int]) -> None:
    if column.field.name == "start":
        if array[0] != 0 or array[-1] != counts[column.group] or (array[1:] < array[:-1]).any():
            raise ValueError(f"{column.name} does not rise from 0 to {counts[column.group]}")
        return
    least = 0 if column.name in _NEVER_NONE else -1
    if below is not None and array.size and not least <= array.min() <= array.max() < below:
        raise ValueError(f"{column.name} points outside its table")


def _check_order(graph: Graph) -> None:
    """Check that every edge leads deeper, so that no walk can go in circles."""
    sorted_columns = {
        "saved.node": graph.saved_table.node,
        "cut_leaves.cut": graph.cut_leaf_table.cut,
        "cut_uses.cut": graph.cut_use_table.cut,
    }
    for name, array in sorted_columns.items():
        if (np.diff(array) < 0).any():
            raise ValueError(f"{name} is not sorted")
    parent = graph.call_table.parent
    if (parent >= np.arange(len(parent))).any():
        raise ValueError("calls.parent leads in circles")
    depth, edges = graph.node_table.depth, graph.edge_table
    defined = edges.target >= 0
    source_depth = np.repeat(depth, np.diff(edges.start))
    if (depth[edges.target[defined]] <= source_depth[defined]).any():
        raise ValueError("edges.target leads back towards the root")


def _check_attributes(graph: Graph) -> None:
    for text in graph.attributes:
        if type(json.loads(text)) is not dict:
            raise ValueError(f"{text!r:.40} is no set of attributes")


def _check_stacks(graph: Graph) -> None:
    lines = {row for stack in graph.stacks for row in stack.lines}
    libraries = {stack.library for stack in graph.stacks} - {-1}
    if not lines | libraries <= set(range(len(graph.places))):
        raise ValueError("stacks point outside the places")
