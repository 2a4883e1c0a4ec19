"""Keep the nodes nearest to the roots, and stand-ins for what is hidden."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools
from autograd_inspect.passes.part import Part, Rows, edge_sources, is_leaf

_NONE: Rows = np.zeros(0, np.int64)


def part_of(graph: Graph, kept: Bools) -> Part:
    """Give the nodes that are kept, and stand-ins for what connected nodes are not."""
    source, target, defined = _edges(graph)
    if kept.all():
        shown = np.full(len(graph), -1, np.int64)
        node = np.arange(len(graph))
        return Part(graph, node, source, target, defined, shown, _NONE, _NONE, _NONE, _NONE)
    node = np.flatnonzero(kept)
    box = np.full(len(graph), -1, np.int64)
    box[node] = np.arange(len(node))
    inside = (box[source] >= 0) & (box[target] >= 0)
    hidden_by, frontier, hidden_in, below = _stand_ins(box, source, target)
    return Part(
        graph,
        node,
        box[source[inside]],
        box[target[inside]],
        defined[inside],
        hidden_by,
        np.bincount(hidden_by[box < 0]),
        frontier,
        hidden_in,
        below,
    )


def nearest(graph: Graph, limit: int | None) -> Bools:
    """Mark at most `limit` nodes, breadth first from the roots; a node's leaves come with it."""
    kept = np.ones(len(graph), np.bool_)
    if limit is not None and limit < len(graph):
        source, target, _ = _edges(graph)
        kept[_first(graph, source, target, max(limit, 1))[1]] = False
    return kept


def _edges(graph: Graph) -> tuple[Rows, Rows, Rows]:
    """Give both ends of the edges that lead somewhere, and their rows."""
    source = edge_sources(graph)
    target = graph.edge_table.target.astype(np.int64)
    defined = np.flatnonzero(target >= 0)
    return source[defined], target[defined], defined


def _first(graph: Graph, source: Rows, target: Rows, limit: int) -> tuple[Rows, Rows]:
    """Part the nodes after `limit`: in the graph's order, leaves moved up to their first user."""
    turn = np.arange(len(graph))
    to_leaf = is_leaf(graph)[target]
    np.minimum.at(turn, target[to_leaf], source[to_leaf])
    order = np.argsort(turn, kind="stable")
    return order[:limit], order[limit:]


def _stand_ins(box: Rows, source: Rows, target: Rows) -> tuple[Rows, Rows, Rows, Rows]:
    """Group what is hidden: connected nodes together, under the first shown node leading there.

    Each hidden node is counted in exactly one group, so shown and hidden add up to the graph. What
    no shown node leads to is in the last one, and `below` are the boxes that it leads to.
    """
    both = (box[source] < 0) & (box[target] < 0)
    piece = _connected(len(box), source[both], target[both])
    leads = np.flatnonzero((box[source] >= 0) & (box[target] < 0))
    entry = np.full(len(box), len(box), np.int64)
    np.minimum.at(entry, piece[target[leads]], box[source[leads]])
    hidden_by = np.full(len(box), -1, np.int64)
    entries, hidden_by[box < 0] = np.unique(entry[piece[box < 0]], return_inverse=True)
    pairs = np.unique(np.stack([box[source[leads]], entry[piece[target[leads]]]], axis=1), axis=0)
    led = (box[source] < 0) & (box[target] >= 0) & (entry[piece[source]] == len(box))
    below = np.unique(box[target[led]])
    return hidden_by, pairs[:, 0], np.searchsorted(entries, pairs[:, 1]), below


def _connected(count: int, one: Rows, other: Rows) -> npt.NDArray[np.int64]:
    """Give nodes that edges connect the same number: the smallest among them."""
    piece = np.arange(count)
    while True:
        low = np.minimum(piece[one], piece[other])
        before = piece.copy()
        # Hooking the roots, not only the nodes, makes the rounds few even on a long chain.
        for end in (one, other):
            np.minimum.at(piece, before[end], low)
            np.minimum.at(piece, end, low)
        while not np.array_equal(piece, jumped := piece[piece]):
            piece = jumped
        if np.array_equal(piece, before):
            return piece
