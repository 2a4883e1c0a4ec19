"""Orders: who is left of whom on each level, so that few lines cross.

Step 3 of the algorithm in `layered`.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from autograd_inspect.layout.levels import Levels

_SEGMENTS_PER_ROUND = 60_000
_FEWEST_ROUNDS, _MOST_ROUNDS = 2, 12
_STALE_ROUNDS = 4
_LARGEST_SWAP = 64

Rows = list[list[int]]


def order_levels(levels: Levels) -> Rows:
    """Give the vertices of each level from left to right."""
    rows = _first_rows(levels)
    segments = sum(map(len, levels.below))
    rounds = max(_FEWEST_ROUNDS, min(_MOST_ROUNDS, _SEGMENTS_PER_ROUND // (segments + 1)))
    fewest, best = _crossings(rows, levels), [row[:] for row in rows]
    stale = 0
    for number in range(rounds):
        if not fewest or stale == _STALE_ROUNDS:
            break
        # Turning ties around every other round gets out of orders that no single step improves.
        turn = number % 2 == 0
        _sweep(rows, levels.above, turn=turn)
        _swap_neighbours(rows, levels, turn=turn)
        _sweep(rows[::-1], levels.below, turn=False)
        _swap_neighbours(rows, levels, turn=False)
        crossings = _crossings(rows, levels)
        stale += 1
        if crossings < fewest:
            fewest, best, stale = crossings, [row[:] for row in rows], 0
    return best


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


def _sweep(rows: Rows, neighbours: list[list[int]], *, turn: bool) -> None:
    """Sort row after row by the mean place of the neighbours in the row before."""
    place = {vertex: float(i) for i, vertex in enumerate(rows[0])} if rows else {}
    for row in rows[1:]:
        slots, movable = [], []
        for i, vertex in enumerate(row):
            near = neighbours[vertex]
            if near:
                slots.append(i)
                tie = -i if turn else i
                movable.append((sum([place[v] for v in near]) / len(near), tie, vertex))
        movable.sort()
        for slot, (_, _, vertex) in zip(slots, movable, strict=True):
            row[slot] = vertex
        place = {vertex: float(i) for i, vertex in enumerate(row)}


def _crossings(rows: Rows, levels: Levels) -> int:
    """Count the pairs of segments that cross."""
    count = 0
    for upper, lower in zip(rows, rows[1:]):  # noqa: B905 - one shorter on purpose
        place = {vertex: i for i, vertex in enumerate(lower)}
        ends: list[int] = []
        for vertex in upper:
            heads = sorted([place[v] for v in levels.below[vertex]])
            for head in heads:
                count += len(ends) - bisect_right(ends, head)
            for head in heads:
                insort(ends, head)
    return count


def _swap_neighbours(rows: Rows, levels: Levels, *, turn: bool) -> None:
    """Swap pairs that stand side by side where that saves crossings, or `turn`s them over."""
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
            if then < now or (turn and then == now > 0):
                row[i], row[i + 1] = other, one
                place[one], place[other] = i + 1, i
