"""Two sequences side by side: which items of one are which of the other, in the same order.

Short stretches are aligned by what their pairs score together, so that many weak signs can outweigh
a strong one. Long ones are first cut into short ones by what is equal beyond doubt: their ends,
then the longest common subsequence, by Myers' greedy algorithm.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_inspect.model.tables import Longs

Pair = tuple[int, int]
#: The scores of all pairs of items of a stretch; 0 where two cannot be the same.
Score = Callable[["Stretch"], Longs]

#: Pairs of items that are scored in one stretch.
_MOST_SCORED = 4_000_000
#: Differences that Myers' algorithm looks past before it settles for what it has.
_PATIENCE = 200


@dataclass(frozen=True, slots=True)
class Stretch:
    """Items `first` to `last` of one sequence beside items `start` to `stop` of the other."""

    first: int
    last: int
    start: int
    stop: int

    @property
    def pairs(self) -> int:
        """Count the pairs of items."""
        return (self.last - self.first) * (self.stop - self.start)


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """What items are told apart by: a number for each, equal in both sequences for equal items.

    same   equal in all that is known of them, names included
    alike  equal but for names
    kind   of one kind: what can be the same at all
    """

    same: tuple[Longs, Longs]
    alike: tuple[Longs, Longs]
    kind: tuple[Longs, Longs]


def align(keys: Keys, score: Score) -> list[Pair]:
    """Pair the items of two sequences; both numbers rise from pair to pair."""
    one, other = keys.same
    found: list[Pair] = []
    waiting = [(Stretch(0, len(one), 0, len(other)), 0)]
    coarser = (keys.alike, keys.kind)
    while waiting:
        whole, tried = waiting.pop()
        stretch = _without_equal_ends(whole, keys.same, found)
        if not stretch.pairs:
            continue
        if stretch.pairs <= _MOST_SCORED:
            found += _best(stretch, score(stretch))
        elif tried < len(coarser):
            stretch = _without_equal_ends(stretch, coarser[tried], found)
            common = _common(stretch, coarser[tried])
            found += common
            waiting += [(gap, tried + 1) for gap in _gaps(stretch, common)]
    return sorted(found)


def out_of_order(places: Sequence[int]) -> set[int]:
    """Give the fewest items without which all others rise, by their positions."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for item, place in enumerate(places):
        size = bisect_left(ends, place)
        ends[size : size + 1] = [place]
        last[size : size + 1] = [item]
        before.append(last[size - 1] if size else -1)
    item = last[-1] if last else -1
    rising = set()
    while item >= 0:
        rising.add(item)
        item = before[item]
    return set(range(len(places))) - rising


def _without_equal_ends(stretch: Stretch, keys: tuple[Longs, Longs], found: list[Pair]) -> Stretch:
    """Pair what is equal at both ends, and give what lies between."""
    one = keys[0][stretch.first : stretch.last]
    other = keys[1][stretch.start : stretch.stop]
    size = min(len(one), len(other))
    head = _equal_from_the_start(one[:size], other[:size])
    size -= head
    tail = _equal_from_the_start(one[len(one) - size :][::-1], other[len(other) - size :][::-1])
    found += ((stretch.first + i, stretch.start + i) for i in range(head))
    found += ((stretch.last - i, stretch.stop - i) for i in range(1, tail + 1))
    return Stretch(
        stretch.first + head, stretch.last - tail, stretch.start + head, stretch.stop - tail
    )


def _equal_from_the_start(one: Longs, other: Longs) -> int:
    differs = np.flatnonzero(one != other)
    return int(differs[0]) if len(differs) else len(one)


def _gaps(stretch: Stretch, pairs: list[Pair]) -> Iterator[Stretch]:
    """Give what lies between pairs, and before and behind them."""
    first, start = stretch.first, stretch.start
    for i, j in (*pairs, (stretch.last, stretch.stop)):
        if i > first and j > start:
            yield Stretch(first, i, start, j)
        first, start = i + 1, j + 1


def _best(stretch: Stretch, scores: Longs) -> list[Pair]:
    """Give the pairs, in order, that score most together; of equal ones, the first in sequence."""
    rows, columns = scores.shape
    best = np.zeros((rows + 1, columns + 1), np.int64)
    for row in range(rows):
        taken = best[row, :-1] + scores[row]
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], taken))
    pairs: list[Pair] = []
    row, column = rows, columns
    while row and column:
        if best[row, column] == best[row, column - 1]:
            column -= 1
        elif best[row, column] == best[row - 1, column]:
            row -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((stretch.first + row, stretch.start + column))
    return pairs[::-1]


def _common(stretch: Stretch, keys: tuple[Longs, Longs]) -> list[Pair]:
    """Give a long common subsequence of a stretch, the longest where it is not too different."""
    one = keys[0][stretch.first : stretch.last]
    other = keys[1][stretch.start : stretch.stop]
    # What the other side has none of cannot be paired, and would only cost time.
    rows, columns = np.flatnonzero(np.isin(one, other)), np.flatnonzero(np.isin(other, one))
    found = _greedy(one[rows].tolist(), other[columns].tolist())
    return [(stretch.first + int(rows[i]), stretch.start + int(columns[j])) for i, j in found]


def _greedy(one: Sequence[Any], other: Sequence[Any]) -> list[Pair]:
    """Find common items by Myers' algorithm; where it takes too long, keep the best and go on."""
    found: list[Pair] = []
    i = j = 0
    while i < len(one) and j < len(other):
        reached, trail = _search(one, other, (i, j))
        found += _walked_back(trail, reached, (i, j))
        if reached == (i, j):
            break
        i, j = reached
    return found


def _search(
    one: Sequence[Any], other: Sequence[Any], start: Pair
) -> tuple[Pair, list[dict[int, int]]]:
    """Go as far as possible from `start`, with one more difference in each round.

    Gives the point reached, and per round the furthest item of `one` on each diagonal.
    """
    rows, columns = len(one) - start[0], len(other) - start[1]
    furthest = {1: 0}
    trail: list[dict[int, int]] = []
    for differences in range(min(_PATIENCE, rows + columns) + 1):
        trail.append(dict(furthest))
        for diagonal in range(-differences, differences + 1, 2):
            x = _step(furthest, diagonal, differences)
            y = x - diagonal
            while x < rows and y < columns and one[start[0] + x] == other[start[1] + y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= rows and y >= columns:
                return (start[0] + x, start[1] + y), trail
    x, diagonal = max(
        ((x, k) for k, x in furthest.items() if x <= rows and 0 <= x - k <= columns),
        key=lambda point: 2 * point[0] - point[1],
    )
    return (start[0] + x, start[1] + x - diagonal), trail


def _step(furthest: dict[int, int], diagonal: int, differences: int) -> int:
    """Come from the neighbouring diagonal that led further, by skipping one item of a side."""
    if _skips_other(furthest, diagonal, differences):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _skips_other(furthest: dict[int, int], diagonal: int, differences: int) -> bool:
    if abs(diagonal) == differences:
        return diagonal <= 0
    return furthest[diagonal - 1] < furthest[diagonal + 1]


def _walked_back(trail: list[dict[int, int]], reached: Pair, start: Pair) -> list[Pair]:
    """Read the common items off the way that led to a point."""
    pairs: list[Pair] = []
    x, y = reached[0] - start[0], reached[1] - start[1]
    for differences in range(len(trail) - 1, -1, -1):
        before, diagonal = trail[differences], x - y
        if (diagonal - differences) % 2:
            continue  # the point was reached a round earlier
        came = _step(before, diagonal, differences)
        while x > came:
            x, y = x - 1, y - 1
            pairs.append((start[0] + x, start[1] + y))
        if differences and _skips_other(before, diagonal, differences):
            y -= 1
        elif differences:
            x -= 1
    return pairs[::-1]
