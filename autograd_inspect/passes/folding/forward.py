"""Rows in forward order: which nodes have one, and what leads from which to which."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.folds import ArrowTable, UseTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Ints, Longs
from autograd_inspect.passes.absorb import absorb_leaves, absorb_views, sources_of


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Nodes in forward order; see `model.folds.Folds` for `node`, `row`, `arrows` and `uses`.

    use_edge  per use of a leaf, the edge of the graph that starts at the user
    """

    graph: Graph
    node: Ints
    row: Ints
    arrows: ArrowTable
    uses: UseTable
    use_edge: Longs

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.node)


def forward_rows(graph: Graph, *, views: bool, kept: Bools | None = None) -> Rows:
    """Put nodes in the order in which the program made them, `kept` ones only if that is given.

    Leaves get no row, nor do views between a leaf and its user; with `views` all others do.
    """
    absorbed = absorb_leaves(graph) if views else absorb_views(graph)
    left = np.ones(len(graph), np.bool_) if kept is None else kept
    has_row = left & ~absorbed.leaf & ~absorbed.view
    source = sources_of(graph)
    seen = np.flatnonzero(has_row[source] & (absorbed.target >= 0))
    leads = seen[has_row[absorbed.target[seen]]]
    uses = seen[absorbed.leaf[absorbed.target[seen]] & left[absorbed.target[seen]]]
    node = _in_order(graph, has_row, source[leads], absorbed.target[leads])
    place = np.full(len(graph), -1, np.int32)
    place[node] = np.arange(len(node))
    own = np.where(absorbed.leaf | ~left, -1, place[absorbed.top]).astype(np.int32)
    by_source = np.argsort(place[source[leads]], kind="stable")
    leads = leads[by_source]
    uses = uses[np.argsort(place[source[uses]], kind="stable")]
    arrows = ArrowTable(
        source=place[source[leads]],
        target=place[absorbed.target[leads]],
        edge=leads.astype(np.int64),
        output=absorbed.output[leads].astype(np.int32),
    )
    used = UseTable(place[source[uses]], absorbed.target[uses])
    return Rows(graph, node, own, arrows, used, uses)


def _in_order(graph: Graph, has_row: Bools, source: Longs, target: Ints) -> Ints:
    """Sort nodes by sequence number, or as close to it as the arrows let."""
    node = np.flatnonzero(has_row)
    table = graph.node_table
    node = node[np.lexsort((-table.depth[node], table.sequence[node]))]
    place = np.full(len(graph), -1, np.int64)
    place[node] = np.arange(len(node))
    if not (place[source] > place[target]).all():
        node = node[_sorted_by_arrows(len(node), place[source], place[target])]
    ordered: Ints = node.astype(np.int32)
    return ordered


def _sorted_by_arrows(count: int, source: Longs, target: Longs) -> Longs:
    """Put items behind all they lead to, of several the smallest first, by Kahn's algorithm.

    Sequence numbers are counted per thread: with several threads they do not tell the order.
    """
    waiting = np.bincount(source, minlength=count).tolist()
    by_target = np.argsort(target, kind="stable")
    users = source[by_target].tolist()
    start = np.searchsorted(target[by_target], np.arange(count + 1)).tolist()
    ready = [item for item in range(count) if not waiting[item]]
    done: list[int] = []
    while ready:
        item = heapq.heappop(ready)
        done.append(item)
        for user in users[start[item] : start[item + 1]]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, user)
    return np.array(done, np.int64)
