"""How values of an earlier graph got into a later one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.rows import Node

#: Operations whose result is a sum of what they take, or several such.
_SUMS = frozenset(["add", "sub", "neg", "sum", "mean", "stack", "cat"])


@dataclass(frozen=True, slots=True)
class Carried:
    """An edge from a new node to an old one.

    source        the old node: what it put out was taken
    taker         the new one
    is_recurrent  what made the old value has run again on it: it is a state
    is_added      it goes into the new roots as a summand and in no other way
    """

    source: Node
    taker: Node
    is_recurrent: bool
    is_added: bool


def carried_into(graph: Graph, since: int) -> Carried | None:
    """Find where nodes made from a sequence number on take what older ones made; None if nowhere.

    The leaves are of no time.
    """
    sequence = graph.node_table.sequence
    entries = [
        (int(source), int(target))
        for source, target in _edges(graph)
        if sequence[source] >= since > sequence[target] >= 0
    ]
    if not entries:
        return None
    users = _users(graph, since)
    found = [
        Carried(
            graph.node(old),
            graph.node(new),
            _runs_again(graph.node(old), new, users),
            all(_adds_up(graph.node(one)) for one in _ahead(new, users)),
        )
        for new, old in entries
    ]
    # The latest of the old values: those before it came with it.
    return max(found, key=lambda one: (one.is_recurrent, one.source.sequence))


def _edges(graph: Graph) -> list[tuple[int, int]]:
    table = graph.edge_table
    sources = np.repeat(np.arange(len(graph)), np.diff(table.start))
    pairs = zip(sources.tolist(), table.target.tolist(), strict=True)
    return [(source, target) for source, target in pairs if target >= 0]


def _users(graph: Graph, since: int) -> dict[int, list[int]]:
    """List, for each node, the new nodes that took what it put out."""
    users: dict[int, list[int]] = {}
    for source, target in _edges(graph):
        if graph.node_table.sequence[source] >= since:
            users.setdefault(target, []).append(source)
    return users


def _runs_again(old: Node, taker: int, users: dict[int, list[int]]) -> bool:
    """Tell whether the line or module that made an old value has worked on it since."""
    wanted = _origin(old)
    if not wanted:
        return False
    return any(not wanted.isdisjoint(_origin(old.graph.node(one))) for one in _ahead(taker, users))


def _ahead(taker: int, users: dict[int, list[int]]) -> Iterator[int]:
    """Give a node, and all new ones that what it put out goes into."""
    ahead, seen = [taker], {taker}
    while ahead:
        node = ahead.pop()
        yield node
        further = [one for one in users.get(node, ()) if one not in seen]
        seen.update(further)
        ahead += further


def _origin(node: Node) -> set[Place | Module]:
    """Give what made a node: the line, and the library's module whose own code that is in.

    A module of the program's is too wide: what it computes once may stand beside what it always
    does, and its lines tell the two apart.
    """
    found: set[Place | Module] = set()
    if node.place is not None:
        found.add(node.place)
    inner = node.library_place
    if node.call is not None and inner is not None and "forward" in inner.function:
        found.add(node.call.module)
    return found


def _adds_up(node: Node) -> bool:
    """Tell of a sum, or of a multiple by a constant."""
    if node.title in {"mul", "div"}:
        return sum(edge.target is not None for edge in node.edges) == 1
    return node.title in _SUMS
