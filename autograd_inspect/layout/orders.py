"""Orders: who is left of whom on each level, so that few lines cross.

Step 3 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator

from autograd_inspect.layout.levels import Levels

_SEGMENTS_PER_ROUND = 60_000
_FEWEST_ROUNDS, _MOST_ROUNDS = 2, 12
_LARGEST_SWAP = 64
_REACH = 8

Rows = list[list[int]]


def order_levels(levels: Levels) -> Rows:
    """Give the vertices of each level from left to right."""
    rows = _first_rows(levels)
    crossings = [_crossings(levels, *pair) for pair in _pairs(rows)]
    segments = sum(map(len, levels.below))
    rounds = max(_FEWEST_ROUNDS, min(_MOST_ROUNDS, _SEGMENTS_PER_ROUND // (segments + 1)))
    for number in range(rounds):
        if not any(crossings):
            break
        near = _near(crossings)
        tried = [row[:] for row in rows]
        for upwards in (False, True):
            _sweep(tried, levels, near, (number, upwards))
            _swap_neighbours(tried, levels, near)
            tried_crossings = [
                _crossings(levels, *pair) if moved or moved_below else count
                for pair, moved, moved_below, count in zip(
                    _pairs(tried), near, [*near[1:], False], crossings, strict=True
                )
            ]
            rows, crossings = _best_of(rows, crossings, tried, tried_crossings)
    return rows


def _pairs(rows: Rows) -> Iterator[tuple[list[int], list[int]]]:
    """Give each level with the next one."""
    return zip(rows, [*rows[1:], []], strict=False)


def _near(crossings: list[int]) -> list[bool]:
    """Mark the levels close to a crossing: only those are worth another try."""
    near = [False] * len(crossings)
    for level, count in enumerate(crossings):
        if count:
            begin, end = max(level - _REACH, 0), min(level + _REACH + 2, len(near))
            near[begin:end] = [True] * (end - begin)
    return near


def _best_of(
    rows: Rows, crossings: list[int], tried: Rows, tried_crossings: list[int]
) -> tuple[Rows, list[int]]:
    """Mix two orders: levels on which they agree cut the graph into pieces, each taken by itself.

    A deep net is many small knots one after the other. No sweep gets all of them right at once, but
    what is right in one place is kept this way while the next sweep tries the others.
    """
    cuts = [level for level, row in enumerate(rows) if row == tried[level]]
    mixed, counts = list(rows), list(crossings)
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        if sum(tried_crossings[begin:end]) < sum(crossings[begin:end]):
            mixed[begin:end] = [row[:] for row in tried[begin:end]]
            counts[begin:end] = tried_crossings[begin:end]
    return mixed, counts


def _first_rows(levels: Levels) -> Rows:
    """Order by a depth-first walk up from the bottom: it lays out trees without crossing."""
    rows: Rows = [[] for _ in range(max(levels.level, default=-1) + 1)]
    seen = [False] * len(levels.level)
    starts = [box for box in range(levels.boxes) if not levels.lowers[box]]
    for start in starts:
        stack = [start]
        while stack:
            vertex = stack.pop()
            if seen[vertex]:
                continue
            seen[vertex] = True
            rows[levels.level[vertex]].append(vertex)
            stack.extend([levels.owner[v] for v in reversed(levels.uppers[vertex])])
    return rows


def _sweep(rows: Rows, levels: Levels, near: list[bool], kind: tuple[int, bool]) -> None:
    """Sort row after row by the mean place of the neighbours in the row before.

    Ties keep their order in the first round; later ones shuffle them, the same way in every run.
    """
    number, upwards = kind
    neighbours = levels.lowers if upwards else levels.uppers
    before: list[int] = []
    for level in range(len(rows) - 1, -1, -1) if upwards else range(len(rows)):
        row = rows[level]
        if near[level] and before:
            place = levels.places(before)
            slots, movable = [], []
            for i, vertex in enumerate(row):
                near_by = neighbours[vertex]
                if near_by:
                    # Not `sum`, which rounds in another way since Python 3.12.
                    total = 0.0
                    for v in near_by:
                        total += place[v]
                    slots.append(i)
                    tie = vertex * 7919 * number % 65521 if number else i
                    movable.append((total / len(near_by), tie, vertex))
            movable.sort()
            for slot, (_, _, vertex) in zip(slots, movable, strict=True):
                row[slot] = vertex
        before = row


def _crossings(levels: Levels, upper: list[int], lower: list[int]) -> int:
    """Count the pairs of segments between two levels that cross."""
    if levels.ports:
        upper = list(levels.places(upper))
    elif len(upper) < 2 or len(lower) < 2:
        return 0
    place = levels.places(lower)
    ends: list[float] = []
    count = 0
    for vertex in upper:
        heads = sorted([place[v] for v in levels.below[vertex]])
        for head in heads:
            count += len(ends) - bisect_right(ends, head)
        for head in heads:
            insort(ends, head)
    return count


def _swap_neighbours(rows: Rows, levels: Levels, close: list[bool]) -> None:
    """Swap pairs that stand side by side where that saves crossings."""
    place: list[float] = [0] * len(levels.level)
    for row in rows:
        for vertex, here in levels.places(row).items():
            place[vertex] = here
    for row in (row for row, wanted in zip(rows, close, strict=True) if wanted):
        for i in range(len(row) - 1):
            one, other = row[i], row[i + 1]
            if _saved_by_swap(levels, place, one, other) > 0:
                row[i], row[i + 1] = other, one
                for vertex, here in levels.places([other, one], i).items():
                    place[vertex] = here


def _saved_by_swap(levels: Levels, place: list[float], one: int, other: int) -> int:
    """Count the crossings that would go if `other` came first, less those that would come."""
    saved = 0
    for neighbours in (levels.uppers, levels.lowers):
        a, b = neighbours[one], neighbours[other]
        if a and b and len(a) * len(b) <= _LARGEST_SWAP:
            at = [place[v] for v in b]
            for v in a:
                here = place[v]
                saved += sum([(here > there) - (here < there) for there in at])
    return saved
