"""Packing: place columns of different heights side by side.

A column is a set of vertices on consecutive levels that share one x. Part of step 4 of the
algorithm in `layered`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from autograd_inspect.layout.levels import Levels
from autograd_inspect.layout.orders import Rows

BOX_GAP, BEND_GAP = 20.0, 14.0
_WEAK = 2
_SPARE, _SPARE_SHARE = 200.0, 1.5

Joints = dict[int, tuple[int, int, float]]
"""Per vertex that is joined to one above: that one, how weakly, and how far right of it it lies."""
Bounds = list[list[tuple[int, float, int]]]


@dataclass(frozen=True, slots=True)
class Packing:
    """Columns with what keeps them apart and what pulls them together.

    column   per vertex, its column
    shift    per vertex, how far right of its column's x it lies
    members  per column, its vertices from the top down
    top      per column, the level of its first vertex
    left     per column, its left neighbours, how far from each it must stay, and on which level
    right    the same to the right
    pulls    per column, those it has a segment to, and how far right of them it then would lie
    turn     all columns, each after those that are left of it on some level
    widest   the width of the widest level by itself
    """

    column: list[int]
    shift: list[float]
    members: list[list[int]]
    top: list[int]
    left: Bounds
    right: Bounds
    pulls: list[list[tuple[int, float]]]
    turn: list[int]
    widest: float

    @classmethod
    def of(cls, levels: Levels, rows: Rows, joints: Joints) -> Packing:
        """Find the columns that joints make, and what they have to do with each other."""
        width = levels.width
        column, shift, members, top = _columns(rows, joints, len(levels.level))
        left: Bounds = [[] for _ in members]
        right: Bounds = [[] for _ in members]
        widest = 0.0
        for level, row in enumerate(rows):
            extent = 0.0
            for one, other in pairwise(row):
                bends = not width[one] or not width[other]
                gap = (width[one] + width[other]) / 2 + (BEND_GAP if bends else BOX_GAP)
                apart = gap + shift[one] - shift[other]
                left[column[other]].append((column[one], apart, level))
                right[column[one]].append((column[other], apart, level))
                extent += gap
            widest = max(widest, extent)
        pulls = _pulls(levels, column, shift)
        turn = _left_to_right(left, right)
        return cls(column, shift, members, top, left, right, pulls, turn, widest)

    def packed_left(self) -> list[float]:
        """Place every column as far left as it can be."""
        x = [0.0] * len(self.members)
        for column in self.turn:
            x[column] = max([x[c] + gap for c, gap, _ in self.left[column]], default=0.0)
        return x

    def too_stiff(self, x: list[float], joints: Joints) -> Iterable[int]:
        """Find joints to give up where straight columns push each other far to the right.

        Branches that join a chain one after the other overlap their neighbours, each one a step
        further to the side, and would make a staircase as wide as the graph is deep. What pushes a
        column too far is a way through its left neighbours that changes level inside columns; the
        weakest joint at each such change is given up, and the branch runs aslant there instead.
        """
        limit = self.widest * _SPARE_SHARE + _SPARE
        done: set[int] = set()
        loosened: set[int] = set()
        for start in sorted(range(len(x)), key=x.__getitem__, reverse=True):
            if x[start] <= limit:
                break
            column, leaving = start, -1
            while column not in done and self.left[column]:
                done.add(column)
                reached = [(x[c] + gap, level, c) for c, gap, level in self.left[column]]
                _, entering, before = max(reached)
                if leaving >= 0:
                    loosened |= self._weakest_between(column, (entering, leaving), joints)
                column, leaving = before, entering
        return sorted(loosened)

    def _weakest_between(self, column: int, levels: tuple[int, int], joints: Joints) -> set[int]:
        """Choose the joint of a column between two levels that matters least, if it may go."""
        top, members = self.top[column], self.members[column]
        between = members[min(levels) - top + 1 : max(levels) - top + 1]
        firmness = [joints[vertex][1] for vertex in between]
        if not between or max(firmness) < _WEAK:
            return set()
        return {between[firmness.index(max(firmness))]}

    def pull(self, x: list[float]) -> None:
        """Move every column towards the middle of those it belongs to, as far as there is room."""
        for turn in (self.turn[::-1], self.turn):
            for column in turn:
                if self.pulls[column]:
                    wanted = median([x[c] + aside for c, aside in self.pulls[column]])
                    least = max([x[c] + gap for c, gap, _ in self.left[column]], default=-inf)
                    most = min([x[c] - gap for c, gap, _ in self.right[column]], default=inf)
                    x[column] = min(max(wanted, least), most)


def median(values: Sequence[float]) -> float:
    """Give the middle value, of an even number the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _columns(
    rows: Rows, joints: Joints, vertices: int
) -> tuple[list[int], list[float], list[list[int]], list[int]]:
    """Find the columns, numbered by their first vertices, row by row."""
    column = [0] * vertices
    shift = [0.0] * vertices
    members: list[list[int]] = []
    top: list[int] = []
    for level, row in enumerate(rows):
        for vertex in row:
            if vertex in joints:
                upper, _, aside = joints[vertex]
                column[vertex] = column[upper]
                shift[vertex] = shift[upper] + aside
            else:
                column[vertex] = len(members)
                members.append([])
                top.append(level)
            members[column[vertex]].append(vertex)
    return column, shift, members, top


def _pulls(levels: Levels, column: list[int], shift: list[float]) -> list[list[tuple[int, float]]]:
    """Give per column those it has segments to; a segment would best be straight."""
    pulls: list[list[tuple[int, float]]] = [[] for _ in range(max(column, default=-1) + 1)]
    for spot, near in enumerate(levels.below):
        if near:
            upper = levels.owner[spot]
            here, x = column[upper], shift[upper] + levels.at[spot]
            for other in near:
                lower = levels.owner[other]
                if column[lower] != here:
                    aside = x - shift[lower] - levels.at[other]
                    pulls[here].append((column[lower], -aside))
                    pulls[column[lower]].append((here, aside))
    return pulls


def _left_to_right(left: Bounds, right: Bounds) -> list[int]:
    """Order the columns so that each comes after all that are left of it."""
    waiting = list(map(len, left))
    turn = [column for column, count in enumerate(waiting) if not count]
    for column in turn:  # grows while it is read
        for other, _, _ in right[column]:
            waiting[other] -= 1
            if not waiting[other]:
                turn.append(other)
    return turn
