"""Which nodes come from the same lines and from modules of a kind, and what sets repeats apart."""

from __future__ import annotations

import re

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Ints, Longs

_NUMBER = re.compile(r"\d+")
#: Of more repeats than this, only the first and the last are told.
_FEW = 3


def lines_at(graph: Graph) -> Longs:
    """Give the row in `places` of the innermost line that made each node, -1 where unknown."""
    innermost = [stack.lines[0] if stack.lines else -1 for stack in graph.stacks]
    found: Longs = np.array([*innermost, -1], np.int64)[graph.node_table.stack]
    return found


def modules_like(graph: Graph) -> Longs:
    """Give each node a number for its module; paths that differ in numbers only have the same."""
    kinds: dict[tuple[str, str, str], int] = {}
    numbers = [
        kinds.setdefault((module.owner, _NUMBER.sub("", module.path), module.cls), len(kinds))
        for module in graph.modules
    ]
    of_call = np.array([*numbers, -1], np.int64)[np.append(graph.call_table.module, -1)]
    found: Longs = of_call[graph.node_table.call]
    return found


def calls_in_common(graph: Graph, nodes: Ints) -> Longs:
    """Count the module calls that each of the nodes is in together with the one before it."""
    calls = graph.node_table.call[nodes]
    before = np.concatenate([[-1], calls[:-1]]).astype(np.int64)
    common = np.zeros(len(nodes), np.int64)
    for around in calls_around(graph):
        common += (around[calls] >= 0) & (around[calls] == around[before])
    return common


def calls_of_repeats(graph: Graph, nodes: Ints) -> tuple[int, ...]:
    """Give the module calls that repeats are, as rows of `call_table`; empty where unknown.

    `nodes` has one repeat in each row. The first is not told: that is the one on show.
    """
    calls = graph.node_table.call[nodes]
    known = (calls >= 0).all(axis=0)
    if not known.any():
        return ()
    level: Ints = calls[:, int(np.argmax(known))]
    apart: list[int] = []
    while (level >= 0).all():
        if len(np.unique(level)) == len(level):
            apart = level[1:].tolist()
        level = graph.call_table.parent[level]
    return tuple(apart if len(apart) <= _FEW else (apart[0], apart[-1]))


def calls_around(graph: Graph) -> list[Longs]:
    """Give per depth, outermost first, the call of that depth around each call; last for none."""
    parent = graph.call_table.parent.astype(np.int64)
    waiting = np.arange(len(parent))
    levels: list[Longs] = []
    inside = parent < 0  # the calls whose parents are placed: a parent comes before its children
    while inside.any():
        placed = waiting[inside]
        levels = [_passed_on(level, placed, parent) for level in levels]
        own = np.full(len(parent) + 1, -1, np.int64)
        own[placed] = placed
        levels.append(own)
        waiting = waiting[~inside]
        inside = own[parent[waiting]] >= 0
    return levels


def _passed_on(level: Longs, calls: Longs, parent: Longs) -> Longs:
    level[calls] = level[parent[calls]]
    return level
