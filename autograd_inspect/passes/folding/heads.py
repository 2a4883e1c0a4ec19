"""Heads: where an instance of a loop, or a layer, begins."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.graph import Graph
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
    ranks = [_rank(rows.graph, int(stack[row]), int(stack[row + 1])) for row in sample.tolist()]
    found[1:] = np.array(ranks, np.int64)[which]
    return found


def _rank(graph: Graph, before: int, after: int) -> int:
    """Compare two stacks from the outermost line inwards, up to where they differ."""
    pairs = zip(reversed(graph.lines_of(before)), reversed(graph.lines_of(after)), strict=False)
    for depth, (one, other) in enumerate(pairs):
        if one != other:
            same = (one.file, one.function) == (other.file, other.function)
            if same and other.line < one.line:
                return depth * _LINES + other.line
            return _FORWARD + 3 * depth
    return _FORWARD + 3 * _DEEPEST
