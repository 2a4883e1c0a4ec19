"""How spans lie in each other."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.spans import Spans

Values = TypeVar("Values", bound=npt.NDArray[np.number])


class Nesting:
    """Which span is in which.

    parent  the innermost span around each span, -1 for none
    around  the innermost span around each row, -1 for none
    levels  the spans by how many others lie around them, outermost ones first
    """

    def __init__(self, spans: Spans, rows: int) -> None:
        """Paint spans from the outermost on, one level after the other."""
        self._stop = np.append(spans.stop, np.iinfo(np.int64).max)
        self.levels = levels_of(spans.first, spans.stop)
        self.parent = np.full(len(spans), -1, np.int64)
        self.around = np.full(rows, -1, np.int64)
        for level in self.levels:
            self.parent[level] = self.around[spans.first[level]]
            length = spans.stop[level] - spans.first[level]
            before = np.cumsum(length) - length
            places = np.repeat(spans.first[level] - before, length) + np.arange(length.sum())
            self.around[places] = np.repeat(level, length)

    def innermost_with(self, one: npt.NDArray[np.integer], other: npt.NDArray[np.integer]) -> Longs:
        """Give the innermost span around both of two rows, the first one first; -1 for none."""
        found: Longs = self.around[one]
        parent = np.append(self.parent, -1)
        left = np.flatnonzero(self._stop[found] <= other)
        while len(left):
            found[left] = parent[found[left]]
            left = left[self._stop[found[left]] <= other[left]]
        return found

    def added_up(self, values: Values) -> Values:
        """Add what each span has to all around it; one more value at the end is of no span."""
        total = values.copy()
        for level in reversed(self.levels):
            np.add.at(total, self.parent[level], total[level])
        return total


def levels_of(first: npt.NDArray[np.integer], stop: npt.NDArray[np.integer]) -> list[Longs]:
    """Part spans by how many others lie around them, outermost ones first."""
    # Of the spans that begin before one, those are around it that have not ended.
    ended = np.searchsorted(np.sort(stop), first, side="right")
    depth = np.arange(len(first)) - ended
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1) if len(order) else []
