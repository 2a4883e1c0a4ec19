"""Orders: who is left of whom on each level, so that few lines cross.

Step 3 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from autograd_inspect.layout.levels import Levels

_SEGMENTS_PER_ROUND = 60_000
_FEWEST_ROUNDS, _MOST_ROUNDS = 2, 12
_LARGEST_SWAP = 64

Rows = list[list[int]]


def order_levels(levels: Levels) -> Rows:
    """Give the vertices of each level from left to right."""
    rows = _first_rows(levels)
    crossings = _crossings(rows, levels)
    segments = sum(map(len, levels.below))
    rounds = max(_FEWEST_ROUNDS, min(_MOST_ROUNDS, _SEGMENTS_PER_ROUND // (segments + 1)))
    for number in range(rounds):
        if not any(crossings):
            break
        tried = [row[:] for row in rows]
        for upwards in (False, True):
            if upwards:
                _sweep(tried[::-1], levels.below, number)
            else:
                _sweep(tried, levels.above, number)
            _swap_neighbours(tried, levels)
            rows, crossings = _best_of(rows, crossings, tried, _crossings(tried, levels))
    return rows


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
    """Order by a depth-first walk up from the bottom: this alone lays out trees without crossing."""
    rows: Rows = [[] for _ in range(max(levels.level, default=-1) + 1)]
    seen = [False] * len(levels.level)
    starts = [box for box in range(levels.boxes) if not levels.below[box]]
    for start in starts:
        stack = [start]
        while stack:
            vertex = stack.pop()
            if seen[vertex]:
                continue
            seen[vertex] = True
            rows[levels.level[vertex]].append(vertex)
            stack.extend(reversed(levels.above[vertex]))
    return rows


def _sweep(rows: Rows, neighbours: list[list[int]], number: int) -> None:
    """Sort row after row by the mean place of the neighbours in the row before.

    Ties keep their order in the first round; later ones shuffle them, the same way in every run.
    """
    place = {vertex: float(i) for i, vertex in enumerate(rows[0])} if rows else {}
    for row in rows[1:]:
        slots, movable = [], []
        for i, vertex in enumerate(row):
            near = neighbours[vertex]
            if near:
                slots.append(i)
                tie = vertex * 7919 * number % 65521 if number else i
                movable.append((sum([place[v] for v in near]) / len(near), tie, vertex))
        movable.sort()
        for slot, (_, _, vertex) in zip(slots, movable, strict=True):
            row[slot] = vertex
        place = {vertex: float(i) for i, vertex in enumerate(row)}


def _crossings(rows: Rows, levels: Levels) -> list[int]:
    """Count the pairs of segments that cross between each level and the next."""
    counts = []
    for upper, lower in zip(rows, [*rows[1:], []], strict=True):
        place = {vertex: i for i, vertex in enumerate(lower)}
        ends: list[int] = []
        count = 0
        for vertex in upper:
            heads = sorted([place[v] for v in levels.below[vertex]])
            for head in heads:
                count += len(ends) - bisect_right(ends, head)
            for head in heads:
                insort(ends, head)
        counts.append(count)
    return counts


def _swap_neighbours(rows: Rows, levels: Levels) -> None:
    """Swap pairs that stand side by side where that saves crossings."""
    place = [0] * len(levels.level)
    for row in rows:
        for i, vertex in enumerate(row):
            place[vertex] = i
    for row in rows:
        for i in range(len(row) - 1):
            one, other = row[i], row[i + 1]
            now, then = 0, 0
            for near in (levels.above, levels.below):
                a, b = near[one], near[other]
                if a and b and len(a) * len(b) <= _LARGEST_SWAP:
                    at = [place[v] for v in b]
                    for v in a:
                        here = place[v]
                        now += sum([here > there for there in at])
                        then += sum([here < there for there in at])
            if then < now:
                row[i], row[i + 1] = other, one
                place[one], place[other] = i + 1, i
