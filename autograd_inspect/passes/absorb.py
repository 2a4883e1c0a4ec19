"""Nodes that need no row of their own: leaves and views, shown in the row of who uses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Ints, Kind, Longs

#: Not views to autograd, but they only move data to where an operation wants it.
_AS_QUIET_AS_A_VIEW = frozenset({"CloneBackward0", "ToCopyBackward0", "UnsafeViewBackward0"})


@dataclass(frozen=True, slots=True, eq=False)
class Absorbed:
    """Which nodes have no row, and where edges lead that pass through them.

    leaf    per node, whether it is an absorbed leaf
    view    per node, whether it is an absorbed view
    top     per node, the first user that is no absorbed view; itself for all others
    target  per edge of the graph, the first node that is no absorbed view, -1 where undefined
    output  per edge, the output of `target` that it arrives at
    """

    leaf: Bools
    view: Bools
    top: Longs
    target: Ints
    output: Ints


def absorb_nothing(graph: Graph) -> Absorbed:
    """Leave every node its row."""
    none = np.zeros(len(graph), np.bool_)
    return _absorb(graph, none, none)


def absorb_leaves(graph: Graph) -> Absorbed:
    """Absorb the leaves, and the views that lie between a leaf and the operation using it."""
    leaf, view = _leaves(graph), _views_in_passing(graph)
    towards_leaf = view & leaf[_end_of_chain(view, *_only_input(graph))[0]]
    return _absorb(graph, leaf, towards_leaf)


def absorb_views(graph: Graph) -> Absorbed:
    """Absorb the leaves and every view that has one user."""
    return _absorb(graph, _leaves(graph), _views_in_passing(graph))


def rows_standing_for(graph: Graph, absorbed: Absorbed, row_of: Longs) -> Longs:
    """Count the nodes that each row stands for; a leaf counts in the last row that shows it.

    `row_of` gives the row of each node, -1 where it has none of its own.
    """
    row = row_of[absorbed.top]
    source = sources_of(graph)
    into = (absorbed.target >= 0) & absorbed.leaf[absorbed.target]
    np.maximum.at(row, absorbed.target[into], row[source[into]])
    rows = int(np.count_nonzero(row_of >= 0))
    return np.bincount(row[row >= 0], minlength=rows).astype(np.int64)


def uses_of(graph: Graph) -> Longs:
    """Count the edges that lead to each node."""
    target = graph.edge_table.target
    return np.bincount(target[target >= 0], minlength=len(graph)).astype(np.int64)


def inputs_of(graph: Graph) -> Longs:
    """Count the defined edges that start at each node."""
    sources = sources_of(graph)[graph.edge_table.target >= 0]
    return np.bincount(sources, minlength=len(graph)).astype(np.int64)


def sources_of(graph: Graph) -> Longs:
    """Give the node that each edge starts at."""
    return np.repeat(np.arange(len(graph)), np.diff(graph.edge_table.start))


def _absorb(graph: Graph, leaf: Bools, view: Bools) -> Absorbed:
    edges = graph.edge_table
    end, output = _end_of_chain(view, *_only_input(graph))
    defined = edges.target >= 0
    through = defined & view[edges.target]
    itself = np.arange(len(graph))
    user = itself.copy()
    user[edges.target[defined]] = sources_of(graph)[defined]
    return Absorbed(
        leaf=leaf,
        view=view,
        top=_follow(np.where(view, user, itself)),
        target=np.where(through, end[edges.target], edges.target).astype(np.int32),
        output=np.where(through, output[edges.target], edges.output).astype(np.int32),
    )


def _leaves(graph: Graph) -> Bools:
    """Mark the leaves that something uses; one that is traced itself keeps its row."""
    return _marked(graph, graph.leaf_table.node) & (uses_of(graph) > 0) & ~_roots(graph)


def _views_in_passing(graph: Graph) -> Bools:
    """Mark what looks like a view, has one input and one use, and is not traced itself."""
    quiet = [row for row, op in enumerate(graph.ops) if op in _AS_QUIET_AS_A_VIEW]
    view = (graph.node_table.kind == Kind.VIEW) | np.isin(graph.node_table.op, quiet)
    marks: Bools = view & (inputs_of(graph) == 1) & (uses_of(graph) == 1) & ~_roots(graph)
    return marks


def _roots(graph: Graph) -> Bools:
    return _marked(graph, graph.root_table.node)


def _marked(graph: Graph, nodes: Ints) -> Bools:
    marks = np.zeros(len(graph), np.bool_)
    marks[nodes] = True
    return marks


def _only_input(graph: Graph) -> tuple[Longs, Longs]:
    """Give the input of each node that has one, and the output of it that is taken."""
    edges = graph.edge_table
    defined = edges.target >= 0
    source = sources_of(graph)[defined]
    target, output = np.arange(len(graph)), np.zeros(len(graph), np.int64)
    target[source], output[source] = edges.target[defined], edges.output[defined]
    return target, output


def _end_of_chain(view: Bools, target: Longs, output: Longs) -> tuple[Longs, Longs]:
    """Give the node that a chain of views ends at, and the output of it that the last one takes."""
    last = _follow(np.where(view & view[target], target, np.arange(len(view))))
    return target[last], output[last]


def _follow(step: Longs) -> Longs:
    """Take steps until they lead nowhere else, doubling their length each round."""
    while True:
        further = step[step]
        if np.array_equal(further, step):
            return step
        step = further
