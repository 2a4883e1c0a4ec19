"""Heights: how far above the ground each box lies.

Step 1 of the algorithm in `layered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Sheet:
    """Boxes and arrows to be laid out by themselves: a diagram without frames, or one frame's own.

    A port is a point on a box where arrows leave its lower side or one enters its upper side. A box
    without ports is left from the middle, and entered where there is room.

    width, height  per box
    upper, lower   per arrow, its ends: the upper box is drawn above the lower one
    room           per arrow, the width kept free for a label where it enters
    port, at       per port, its box, and how far right of that box's middle it lies
    leaves, enters per arrow, the port at its upper and at its lower end, -1 for none
    first, last    boxes that lie on the first and on the last level
    weight         per box, how many boxes it counts for where ways are compared
    frames         boxes that are frames
    carried        per arrow, whether it leads back up; empty where none does
    """

    width: list[float]
    height: list[float]
    upper: list[int]
    lower: list[int]
    room: list[float]
    port: list[int]
    at: list[float]
    leaves: list[int]
    enters: list[int]
    first: list[int]
    last: list[int]
    weight: list[int]
    frames: list[int]
    carried: list[bool] = field(default_factory=list)


def heights_of(sheet: Sheet, upper: list[int], lower: list[int]) -> list[int]:
    """Give the level of each box, counted from the bottom; the arrows lead down."""
    height = longest_ways_down(len(sheet.width), upper, lower)
    _tighten(height, upper, lower)
    top = max(height, default=0)
    for boxes, level in ((sheet.first, top), (sheet.last, 0)):
        for box in boxes:
            height[box] = level
    if sheet.frames:
        _gather_frames(sheet, height, upper, lower)
    return height


def without_cycles(
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


def longest_ways_down(boxes: int, upper: list[int], lower: list[int]) -> list[int]:
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
    if height.count(0) < 2:
        return
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


def _gather_frames(sheet: Sheet, height: list[int], upper: list[int], lower: list[int]) -> None:
    """Move each frame to a level that is tall anyway, if it is what makes its own one tall.

    It stays between what is above and what is below it. The levels are counted from the bottom.
    """
    on_level: list[dict[int, float]] = [{} for _ in range(max(height) + 1)]
    for box, level in enumerate(height):
        on_level[level][box] = sheet.height[box]
    over: dict[int, list[int]] = {frame: [] for frame in sheet.frames}
    under: dict[int, list[int]] = {frame: [] for frame in sheet.frames}
    for a, b in zip(upper, lower, strict=True):
        if a in under:
            under[a].append(b)
        if b in over:
            over[b].append(a)
    for frame in sorted(sheet.frames, key=sheet.height.__getitem__, reverse=True):
        here, tall = height[frame], on_level[height[frame]].pop(frame)
        lowest = max([height[b] + 1 for b in under[frame]], default=0)
        highest = min([height[a] - 1 for a in over[frame]], default=len(on_level) - 1)
        # What a level would grow by, then the way there, then up rather than down.
        _, _, best = min(
            (max(tall - max(on_level[to].values(), default=0.0), 0.0), abs(to - here), -to)
            for to in range(lowest, highest + 1)
        )
        height[frame] = -best
        on_level[-best][frame] = tall
