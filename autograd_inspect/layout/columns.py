"""Columns: how far from the left each vertex lies, chains straight and nothing overlapping.

Step 4 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd_inspect.layout.levels import Levels
from autograd_inspect.layout.orders import Rows

_PASSES = 4
BOX_GAP, BEND_GAP = 20.0, 14.0



def place_columns(levels: Levels, rows: Rows, width: list[float]) -> list[float]:
    """Give the horizontal centre of each vertex; `width` is 0 for a bend."""
    column = _columns(levels, rows)
    columns = _constrained(levels, rows, width, column)
    x = columns.packed_left()
    for _ in range(_PASSES):
        columns.pull(x)
    return [x[c] for c in column]


def _columns(levels: Levels, rows: Rows) -> list[int]:
    """Join vertices to vertical columns: each with at most one above and one below.

    The trunk, which is the longest way through the graph, goes first, then the stems of long
    arrows, then the rest by the length of the way it lies on. Two joints that would cross never
    both come about, so the columns can be placed without overlap.
    """
    place = [0] * len(levels.level)
    for row in rows:
        for i, vertex in enumerate(row):
            place[vertex] = i
    joined_to = [-1] * len(levels.level)
    joined_from = [-1] * len(levels.level)
    taken: list[tuple[list[int], list[int]]] = [([], []) for _ in rows]
    for upper, lower in _segments_by_weight(levels, rows, place):
        if joined_to[upper] >= 0 or joined_from[lower] >= 0:
            continue
        ups, lows = taken[levels.level[upper]]
        i = bisect_left(ups, place[upper])
        if i == bisect_left(lows, place[lower]):
            ups.insert(i, place[upper])
            lows.insert(i, place[lower])
            joined_to[upper], joined_from[lower] = lower, upper
    return _numbered(rows, joined_from)


def _numbered(rows: Rows, joined_from: list[int]) -> list[int]:
    column = [0] * len(joined_from)
    count = 0
    for row in rows:
        for vertex in row:
            if joined_from[vertex] >= 0:
                column[vertex] = column[joined_from[vertex]]
            else:
                column[vertex] = count
                count += 1
    return column


def _segments_by_weight(levels: Levels, rows: Rows, place: list[int]) -> list[tuple[int, int]]:
    """List the segments, the ones that most need to be straight first."""
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
    return list(zip(upper[order].tolist(), lower[order].tolist(), strict=True))


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
            middle = _median([place[v] for v in near])
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


def _median(values: Sequence[float]) -> float:
    """Give the middle value, of an even number the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns with what keeps them apart and what pulls them together.

    turn   all columns, each after those that are left of it on some level
    left   per column, its left neighbours and how far from each it must stay
    right  the same to the right
    pulls  per column, those it has an arrow to or from
    """

    turn: list[int]
    left: list[list[tuple[int, float]]]
    right: list[list[tuple[int, float]]]
    pulls: list[list[int]]

    def packed_left(self) -> list[float]:
        """Place every column as far left as it can be."""
        x = [0.0] * len(self.turn)
        for column in self.turn:
            x[column] = max([x[c] + gap for c, gap in self.left[column]], default=0.0)
        return x

    def pull(self, x: list[float]) -> None:
        """Move every column towards the middle of those it belongs to, as far as there is room."""
        for turn in (self.turn[::-1], self.turn):
            for column in turn:
                pulls = self.pulls[column]
                if not pulls:
                    continue
                wanted = _median([x[c] for c in pulls])
                for c, gap in self.left[column]:
                    if x[c] + gap > wanted:
                        wanted = x[c] + gap
                for c, gap in self.right[column]:
                    if x[c] - gap < wanted:
                        wanted = x[c] - gap
                x[column] = wanted


def _constrained(
    levels: Levels, rows: Rows, width: list[float], column: list[int]
) -> _Columns:
    count = max(column, default=-1) + 1
    left: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    right: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    pulls: list[list[int]] = [[] for _ in range(count)]
    for row in rows:
        for one, other in zip(row, row[1:]):  # noqa: B905 - one shorter on purpose
            bends = one >= levels.boxes or other >= levels.boxes
            gap = (width[one] + width[other]) / 2 + (BEND_GAP if bends else BOX_GAP)
            left[column[other]].append((column[one], gap))
            right[column[one]].append((column[other], gap))
    for vertex, near in enumerate(levels.below):
        for other in near:
            if column[vertex] != column[other]:
                pulls[column[vertex]].append(column[other])
                pulls[column[other]].append(column[vertex])
    return _Columns(_left_to_right(left, right), left, right, pulls)


def _left_to_right(
    left: list[list[tuple[int, float]]], right: list[list[tuple[int, float]]]
) -> list[int]:
    """Order the columns so that each comes after all that are left of it."""
    waiting = list(map(len, left))
    turn = [column for column, count in enumerate(waiting) if not count]
    for column in turn:  # grows while it is read
        for other, _ in right[column]:
            waiting[other] -= 1
            if not waiting[other]:
                turn.append(other)
    return turn
