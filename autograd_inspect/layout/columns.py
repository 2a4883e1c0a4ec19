"""Columns: how far from the left each vertex lies, chains straight and nothing overlapping.

Step 4 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_left

from autograd_inspect.layout.levels import Levels
from autograd_inspect.layout.orders import Rows
from autograd_inspect.layout.packing import Joints, Packing, median

_ROUNDS, _PASSES = 8, 4


def place_columns(levels: Levels, rows: Rows) -> list[float]:
    """Give the horizontal centre of each vertex."""
    joints = _joints(levels, rows)
    for _ in range(_ROUNDS):
        packing = Packing.of(levels, rows, joints)
        x = packing.packed_left()
        loosened = packing.too_stiff(x, joints)
        if not loosened:
            break
        for vertex in loosened:
            del joints[vertex]
    for _ in range(_PASSES):
        packing.pull(x)
    centre = [
        x[column] + shift for column, shift in zip(packing.column, packing.shift, strict=True)
    ]
    return [centre[owner] + at for owner, at in zip(levels.owner, levels.at, strict=True)]


def _joints(levels: Levels, rows: Rows) -> Joints:
    """Join vertices to columns: give the vertex that each is joined to above, and how firmly.

    The trunk, which is the longest way through the graph, goes first, then the stems of long
    arrows, then the rest by the length of the way it lies on. Two joints that would cross never
    both come about, so the columns can be placed without overlap.
    """
    place = [0] * len(levels.level)
    for row in rows:
        for i, vertex in enumerate(row):
            place[vertex] = i
    joints: Joints = {}
    continued = [False] * len(levels.level)
    taken: list[tuple[list[int], list[int]]] = [([], []) for _ in rows]
    for above, below, rank in _segments_by_weight(levels, rows, place):
        upper, lower = levels.owner[above], levels.owner[below]
        if continued[upper] or lower in joints:
            continue
        ups, lows = taken[levels.level[upper]]
        i = bisect_left(ups, place[upper])
        if i == bisect_left(lows, place[lower]):
            ups.insert(i, place[upper])
            lows.insert(i, place[lower])
            continued[upper] = True
            joints[lower] = (upper, rank, levels.at[above] - levels.at[below])
    return joints


def _segments_by_weight(levels: Levels, rows: Rows, place: list[int]) -> list[tuple[int, int, int]]:
    """List the segments and their rank, the ones that most need to be straight first."""
    owner, bends = levels.owner, levels.bends
    to_top = _longest_ways(levels, rows, levels.uppers)
    to_bottom = _longest_ways(levels, rows[::-1], levels.lowers)
    chain = _chains(levels, rows, place, (to_top, to_bottom))
    longest = max(to_top, default=0)
    segments = []
    for above, near in enumerate(levels.below):
        upper = owner[above]
        for below in near:
            lower = owner[below]
            way = to_top[upper] + to_bottom[lower]
            if chain[upper] == lower and way == longest:
                rank = 0
            elif upper >= bends and lower >= bends:
                rank = 1
            else:
                rank = 2 if chain[upper] == lower else 3
            segments.append((rank, -way, upper, lower, above, below))
    segments.sort()
    return [(above, below, rank) for rank, _, _, _, above, below in segments]


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
            near = [levels.owner[v] for v in levels.uppers[vertex]]
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
            longest = max([ways[levels.owner[v]] for v in neighbours[vertex]], default=0)
            ways[vertex] = longest + levels.weight[vertex]
    return ways
