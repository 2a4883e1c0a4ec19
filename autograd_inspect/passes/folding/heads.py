"""Heads: where an instance of a loop, or a layer, begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Place
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.forward import Rows

#: Behind the ranks of all lines that jump back.
_FORWARD = 2**60
#: Deeper than stacks are; where no line changes at all.
_DEEPEST = 2**10
#: More lines than a file has.
_LINES = 2**40


class Heads:
    """Says how well an instance of a repeat begins at each row, lower is better.

    Best where a line jumps back, in the outermost function in which lines differ, and furthest up:
    that is the head of the outermost loop. Then where a statement begins, an outer one rather than
    one of a function it calls; of several, behind a place where ways meet, as at the end of a
    residual block, or where parameters come in again, as in a linear layer behind its activation.
    """

    def __init__(self, rows: Rows) -> None:
        self._line = _changes_of_line(rows)
        self._joins = np.bincount(rows.arrows.source, minlength=len(rows)) > 1
        self._leaves = np.append(0, np.cumsum(np.bincount(rows.uses.source, minlength=len(rows))))

    def rank(self, first: Longs, stop: Longs) -> Longs:
        """Rank parts that lie side by side, by their first rows and those after their last."""
        leaves = self._leaves[stop] > self._leaves[first]
        after_join = np.append(False, self._joins[stop[:-1] - 1])
        after_none = leaves & ~np.append(False, leaves[:-1])
        usual = np.where(after_join, 0, np.where(after_none, 1, 2))
        line: Longs = self._line[first]
        return np.where(line >= _FORWARD, line + usual, line)


def _changes_of_line(rows: Rows) -> Longs:
    """Rank each row by how its line comes after that of the row before it."""
    found = np.full(len(rows), _FORWARD)
    stack = rows.graph.node_table.stack[rows.node].astype(np.int64)
    pairs = stack[:-1] * (len(rows.graph.stacks) + 1) + stack[1:]
    _, sample, which = np.unique(pairs, return_index=True, return_inverse=True)
    changes = [_change(rows.graph, int(stack[row]), int(stack[row + 1])) for row in sample.tolist()]
    skipped, depth, line = np.array(changes, np.int64).reshape(-1, 3)[which].T
    lacking = np.append(0, -np.cumsum(skipped))[: len(skipped)]  # outer lines, of the row before
    depth = np.where(depth < 0, _DEEPEST, depth + lacking - lacking.min(initial=0))
    found[1:] = np.where(line < 0, _FORWARD + 3 * depth, depth * _LINES + line)
    return found


def _change(graph: Graph, before: int, after: int) -> tuple[int, int, int]:
    """Compare two stacks from the outermost line inwards, up to where they differ.

    Gives how many outer lines only the second one has, how deep in the first one they differ, -1
    for nowhere, and the line that is jumped back to, -1 where it lies ahead.
    """
    one, other = graph.lines_of(before)[::-1], graph.lines_of(after)[::-1]
    skipped = _skipped(one, other)
    left, right = max(-skipped, 0), max(skipped, 0)
    for depth in range(min(len(one) - left, len(other) - right)):
        here, there = one[depth + left], other[depth + right]
        if here != there:
            back = _function(here) == _function(there) and there.line < here.line
            return skipped, depth + left, there.line if back else -1
    return skipped, -1, -1


def _skipped(one: Sequence[Place], other: Sequence[Place]) -> int:
    """Say how many outer lines only the other stack has, or (below 0) only the first one.

    Stacks are recorded up to some length, so that a deeper one lacks outer lines.
    """
    for skipped in sorted(range(1 - len(one), len(other)), key=abs):
        here, there = one[max(-skipped, 0)], other[max(skipped, 0)]
        if _function(here) == _function(there):
            return skipped
    return 0


def _function(place: Place) -> tuple[str, str]:
    return place.file, place.function
