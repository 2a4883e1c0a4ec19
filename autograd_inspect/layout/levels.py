"""Levels: which boxes lie at which height, and the bends of arrows that pass over some.

Step 1 and 2 of the algorithm in `layered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(slots=True)
class Levels:
    """Vertices are the boxes, then the bends; a segment joins vertices of neighbouring levels.

    level    per vertex, 0 at the top
    above    per vertex, its neighbours one level up; once per arrow that passes there
    below    per vertex, its neighbours one level down
    stem     per box, its first bend, -1 where it has none; each next one is a level further down
    stem_end per box, one more than its last bend
    lane     per box, whether its long arrows run outside all boxes instead of through bends
    upper, lower    per arrow, its ends, the upper one on a smaller level
    turned   per arrow, whether that is against its direction
    """

    level: list[int]
    above: list[list[int]]
    below: list[list[int]]
    stem: list[int]
    stem_end: list[int]
    lane: list[bool]
    upper: list[int]
    lower: list[int]
    turned: list[bool]

    @property
    def boxes(self) -> int:
        """Count the vertices that are boxes."""
        return len(self.stem)

    def last_stop(self, arrow: int) -> int:
        """Give the vertex that an arrow comes from when it enters its lower box; -1 for a lane."""
        upper, lower = self.upper[arrow], self.lower[arrow]
        passed = self.level[lower] - self.level[upper] - 1
        if not passed:
            return upper
        return -1 if self.lane[upper] else self.stem[upper] + passed - 1


def make_levels(boxes: int, upper: Sequence[int], lower: Sequence[int]) -> Levels:
    """Put each box on a level and bends where arrows pass over levels."""
    upper, lower, turned = _without_cycles(boxes, upper, lower)
    height = _heights(boxes, upper, lower)
    _tighten(height, upper, lower)
    top = max(height, default=0)
    levels = Levels(
        level=[top - above_ground for above_ground in height],
        above=[[] for _ in range(boxes)],
        below=[[] for _ in range(boxes)],
        stem=[-1] * boxes,
        stem_end=[-1] * boxes,
        lane=[False] * boxes,
        upper=upper,
        lower=lower,
        turned=turned,
    )
    _grow_stems(levels)
    for arrow in range(len(upper)):
        stop = levels.last_stop(arrow)
        if stop >= 0:
            levels.below[stop].append(lower[arrow])
            levels.above[lower[arrow]].append(stop)
    return levels


def _without_cycles(
    boxes: int, upper: Sequence[int], lower: Sequence[int]
) -> tuple[list[int], list[int], list[bool]]:
    """Turn around arrows that would close a cycle; autograd has none, a folded view may."""
    place = [0] * boxes
    for turn, box in enumerate(_bottom_up(boxes, upper, lower)):
        place[box] = turn
    turned = [place[a] < place[b] for a, b in zip(upper, lower, strict=True)]
    ends = [(b, a) if turn else (a, b) for a, b, turn in zip(upper, lower, turned, strict=True)]
    return [a for a, _ in ends], [b for _, b in ends], turned


def _bottom_up(boxes: int, upper: Sequence[int], lower: Sequence[int]) -> list[int]:
    """Order the boxes so that all below a box come before it, as far as there is no cycle."""
    parents: list[list[int]] = [[] for _ in range(boxes)]
    waiting = [0] * boxes
    for a, b in zip(upper, lower, strict=True):
        parents[b].append(a)
        waiting[a] += 1
    order = [box for box in range(boxes) if not waiting[box]]
    done = 0
    unsorted = iter(range(boxes))
    while len(order) < boxes or done < len(order):
        if done == len(order):  # only cycles are left: enter one at its first box
            box = next(box for box in unsorted if waiting[box] > 0)
            waiting[box] = 0
            order.append(box)
        for parent in parents[order[done]]:
            waiting[parent] -= 1
            if not waiting[parent]:
                order.append(parent)
        done += 1
    return order


def _heights(boxes: int, upper: list[int], lower: list[int]) -> list[int]:
    """Give each box the length of its longest way down: it lies right above its users."""
    parents: list[list[int]] = [[] for _ in range(boxes)]
    for a, b in zip(upper, lower, strict=True):
        parents[b].append(a)
    height = [0] * boxes
    for box in _bottom_up(boxes, upper, lower):
        above = height[box] + 1
        for parent in parents[box]:
            height[parent] = max(height[parent], above)
    return height


def _tighten(height: list[int], upper: list[int], lower: list[int]) -> None:
    """Lift what hangs on a further root up to where it branches off.

    Every box has an arrow of length one to below unless it is at the bottom, so the pieces that
    arrows of length one hold together are no more than the boxes at the bottom. A piece with more
    arrows going up than down is lifted until one of those has length one too.
    """
    level = np.array(height, np.int64)
    up, low = np.array(upper, np.int64), np.array(lower, np.int64)
    for _ in range(min(height.count(0), 32)):
        piece = _pieces(level, up, low)
        slack = level[up] - level[low] - 1
        between = np.flatnonzero(piece[up] != piece[low])
        if not len(between):
            break
        balance = np.bincount(piece[low[between]], minlength=len(level))
        balance -= np.bincount(piece[up[between]], minlength=len(level))
        room = np.full(len(level), np.iinfo(np.int64).max)
        np.minimum.at(room, piece[low[between]], slack[between])
        lifted = np.where(balance > 0, room, 0)
        if not lifted.any():
            break
        level += lifted[piece]
    height[:] = (level - level.min(initial=0)).tolist()


def _pieces(level: np.ndarray, up: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Give each box the smallest one that arrows of length one hold it together with."""
    tight = level[up] - level[low] == 1
    one, other = up[tight], low[tight]
    piece = np.arange(len(level))
    while True:
        least = np.minimum(piece[one], piece[other])
        before = piece.copy()
        for end in (one, other):
            np.minimum.at(piece, before[end], least)
        while not np.array_equal(piece, nearer := piece[piece]):
            piece = nearer
        if np.array_equal(piece, before):
            return piece


def _grow_stems(levels: Levels) -> None:
    """Give the long arrows of a box one common stem of bends, the shortest stems first.

    Bends are bounded to a small multiple of the boxes; stems beyond that become lanes.
    """
    level = levels.level
    reach = [0] * levels.boxes
    for a, b in zip(levels.upper, levels.lower, strict=True):
        reach[a] = max(reach[a], level[b] - level[a] - 1)
    left = 2 * levels.boxes + 1000
    for box in sorted((box for box in range(levels.boxes) if reach[box]), key=reach.__getitem__):
        left -= reach[box]
        if left < 0:
            levels.lane[box] = True
            continue
        levels.stem[box] = first = len(level)
        levels.stem_end[box] = first + reach[box]
        bends = range(first, first + reach[box])
        level.extend(range(level[box] + 1, level[box] + 1 + reach[box]))
        levels.above.extend([bend - 1] for bend in bends)
        levels.below.extend([bend + 1] for bend in bends)
        levels.above[first] = [box]
        levels.below[-1] = []
        levels.below[box].append(first)
