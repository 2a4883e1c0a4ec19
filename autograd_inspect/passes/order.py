"""The order in which the nodes of a graph are read, from the roots to the leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Ints, Longs
from autograd_inspect.passes.absorb import sources_of


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Rows in reading order, and for each node of the graph the one it is printed below.

    node, indent, opens  per row
    user                 per node, -1 for a root and for a node without a row
    """

    node: Ints
    indent: Ints
    opens: Bools
    user: Ints


def order_rows(graph: Graph, target: Ints, skipped: Bools) -> Order:
    """Put the nodes that are not `skipped` into reading order.

    `target` says where each edge of the graph leads. A node comes when the last of its users has
    been printed, so a residual connection reads downwards. Where several inputs come due at once,
    the one with the longest way to a leaf goes on at the same indentation, below the others: a
    chain never indents.
    """
    start, target = _edges_between(graph, target, ~skipped)
    pending = np.bincount(target, minlength=len(graph))
    targets = target.tolist()
    roots = dict.fromkeys(graph.root_table.node.tolist())
    first = [root for root in roots if not pending[root] and not skipped[root]]
    height = _heights(graph, start, targets)
    return _descend(first, (start.tolist(), targets), pending.tolist(), height)


def _edges_between(graph: Graph, target: Ints, kept: Bools) -> tuple[Longs, Ints]:
    """Give the edges whose both ends are kept, as compressed rows."""
    source = sources_of(graph)
    wanted = (target >= 0) & kept[target] & kept[source]
    counts = np.bincount(source[wanted], minlength=len(graph))
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), target[wanted]


def _heights(graph: Graph, start: Longs, targets: list[int]) -> list[int]:
    """Count the edges on the longest way from each node to a leaf, deepest nodes first."""
    height = [0] * len(graph)
    inner = np.flatnonzero(np.diff(start))
    inner = inner[np.argsort(-graph.node_table.depth[inner], kind="stable")]
    ranges = inner.tolist(), start[inner].tolist(), start[inner + 1].tolist()
    for node, first, last in zip(*ranges, strict=True):
        if last - first == 1:
            height[node] = 1 + height[targets[first]]
        else:
            height[node] = 1 + max([height[target] for target in targets[first:last]])
    return height


def _descend(
    first: list[int], edges: tuple[list[int], list[int]], pending: list[int], height: list[int]
) -> Order:
    """Emit row after row; `waiting` holds what is printed once the current line has ended."""
    starts, targets = edges
    rows, places = [], []
    user = [-1] * len(height)
    waiting = [(root, 0, False) for root in reversed(first)]
    while waiting:
        node, indent, opens = waiting.pop()
        rows.append(node)
        places.append(2 * indent + opens)
        due = []
        for target in targets[starts[node] : starts[node + 1]]:
            pending[target] -= 1
            if not pending[target]:
                user[target] = node
                due.append(target)
        if len(due) > 1:
            main = max(reversed(due), key=height.__getitem__)
            waiting.append((main, indent, False))
            waiting += [(side, indent + 1, True) for side in reversed(due) if side != main]
        elif due:
            waiting.append((due[0], indent, False))
    place = np.array(places, np.int64)
    return Order(
        node=np.array(rows, np.int32),
        indent=(place // 2).astype(np.int32),
        opens=place % 2 == 1,
        user=np.array(user, np.int32),
    )
