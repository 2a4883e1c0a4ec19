"""Columns: how far from the left each vertex lies, chains straight and nothing overlapping.

Step 4 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from autograd_inspect.layout.levels import Levels
from autograd_inspect.layout.orders import Rows
from autograd_inspect.layout.packing import Packing, median

_ROUNDS, _PASSES = 8, 4


def place_columns(levels: Levels, rows: Rows, width: list[float]) -> list[float]:
    """Give the horizontal centre of each vertex; `width` is 0 for a bend."""
    joints = _joints(levels, rows)
    for _ in range(_ROUNDS):
        packing = Packing.of(levels, rows, width, joints)
        x = packing.packed_left()
        loosened = packing.too_stiff(x, joints)
        if not loosened:
            break
        for vertex in loosened:
            del joints[vertex]
    for _ in range(_PASSES):
        packing.pull(x)
    return [x[column] for column in packing.column]


def _joints(levels: Levels, rows: Rows) -> dict[int, tuple[int, int]]:
    """Join vertices to columns: give the vertex that each is joined to above, and how firmly.

    The trunk, which is the longest way through the graph, goes first, then the stems of long
    arrows, then the rest by the length of the way it lies on. Two joints that would cross never
    both come about, so the columns can be placed without overlap.
    """
    place = [0] * len(levels.level)
    for row in rows:
        for i, vertex in enumerate(row):
            place[vertex] = i
    joints: dict[int, tuple[int, int]] = {}
    continued = [False] * len(levels.level)
    taken: list[tuple[list[int], list[int]]] = [([], []) for _ in rows]
    for upper, lower, rank in _segments_by_weight(levels, rows, place):
        if continued[upper] or lower in joints:
            continue
        ups, lows = taken[levels.level[upper]]
        i = bisect_left(ups, place[upper])
        if i == bisect_left(lows, place[lower]):
            ups.insert(i, place[upper])
            lows.insert(i, place[lower])
            continued[upper] = True
            joints[lower] = (upper, rank)
    return joints


def _segments_by_weight(levels: Levels, rows: Rows, place: list[int]) -> list[tuple[int, int, int]]:
    """List the segments and their rank, the ones that most need to be straight first."""
    upper = np.repeat(np.arange(len(levels.below)), [len(near) for near in levels.below])
    lower = np.array([v for near in levels.below for v in near], np.int64)
    if not len(upper):
        return []
    to_top = _longest_ways(levels, rows, levels.above)
    to_bottom = _longest_ways(levels, rows[::-1], levels.below)
    way = np.array(to_top)[upper] + np.array(to_bottom)[lower]
    bend = np.arange(len(levels.level)) >= levels.boxes
    chained = np.array(_chains(levels, rows, place, (to_top, to_bottom)))[upper] == lower
    rank = np.select(
        [chained & (way == way.max()), bend[upper] & bend[lower], chained], [0, 1, 2], 3
    )
    order = np.lexsort((lower, upper, -way, rank))
    columns = (upper[order].tolist(), lower[order].tolist(), rank[order].tolist())
    return list(zip(*columns, strict=True))


def _chains(
    levels: Levels, rows: Rows, place: list[int], ways: tuple[list[int], list[int]]
) -> list[int]:
    """Split the graph into chains: give the vertex below each one in its chain, -1 at the end.

    A vertex goes on to the upper neighbour with the longest way to the top, of several to the one
    in the middle. Where several would go on to the same one, the longest way to the bottom wins,
    then the longest chain so far: so the longest chain stays in one piece through forks and joins.
    """
    to_top, to_bottom = ways
    below = [-1] * len(place)
    length = [1] * len(place)
    for row in reversed(rows):
        for vertex in row:
            near = levels.above[vertex]
            if not near:
                continue
            middle = median([place[v] for v in near])
            up = min(near, key=lambda v: (-to_top[v], abs(place[v] - middle), place[v]))
            rival = below[up]
            mine = (to_bottom[vertex], length[vertex])
            if rival < 0 or mine > (to_bottom[rival], length[rival]):
                below[up] = vertex
                length[up] = length[vertex] + 1
    return below


def _longest_ways(levels: Levels, rows: Rows, neighbours: list[list[int]]) -> list[int]:
    """Count the boxes on the longest way from each vertex through these neighbours, row by row."""
    ways = [0] * len(neighbours)
    for row in rows:
        for vertex in row:
            longest = max([ways[v] for v in neighbours[vertex]], default=0)
            ways[vertex] = longest + (vertex < levels.boxes)
    return ways
