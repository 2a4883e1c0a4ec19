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
    starts, targets = start.tolist(), target.tolist()
    roots = dict.fromkeys(graph.root_table.node.tolist())
    first = [root for root in roots if not pending[root] and not skipped[root]]
    height = _heights(graph, starts, targets)
    return _descend(first, (starts, targets), pending.tolist(), height)


def _edges_between(graph: Graph, target: Ints, kept: Bools) -> tuple[Longs, Ints]:
    """Give the edges whose both ends are kept, as compressed rows."""
    source = sources_of(graph)
    wanted = (target >= 0) & kept[target] & kept[source]
    counts = np.bincount(source[wanted], minlength=len(graph))
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), target[wanted]


def _heights(graph: Graph, starts: list[int], targets: list[int]) -> list[int]:
    """Count the edges on the longest way from each node to a leaf, deepest nodes first."""
    height = [0] * len(graph)
    for node in np.argsort(-graph.node_table.depth, kind="stable").tolist():
        inputs = targets[starts[node] : starts[node + 1]]
        if inputs:
            height[node] = 1 + max([height[target] for target in inputs])
    return height


def _descend(
    first: list[int], edges: tuple[list[int], list[int]], pending: list[int], height: list[int]
) -> Order:
    """Emit row after row; `waiting` holds what is printed once the current line has ended."""
    starts, targets = edges
    rows, indents, opens = [], [], []
    user = [-1] * len(height)
    waiting = [(root, 0, False) for root in reversed(first)]
    while waiting:
        node, indent, opening = waiting.pop()
        rows.append(node)
        indents.append(indent)
        opens.append(opening)
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
    return Order(
        node=np.array(rows, np.int32),
        indent=np.array(indents, np.int32),
        opens=np.array(opens, np.bool_),
        user=np.array(user, np.int32),
    )
