"""Spans of rows while folds are being found: columns that grow, then one table in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.tables import Longs


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Spans that lie side by side or in each other, outer ones first, then by their first row.

    kind   a `FoldKind`
    first  the first row
    stop   the row after the last
    call   for modules the row of the call, else -1
    times  for repeats the number of instances, else 1
    """

    kind: Longs
    first: Longs
    stop: Longs
    call: Longs
    times: Longs

    @classmethod
    def of(
        cls,
        kind: FoldKind,
        first: Longs,
        stop: Longs,
        *,
        call: Longs | int = -1,
        times: Longs | int = 1,
    ) -> Spans:
        """Make spans of one kind."""
        like = np.zeros(len(first), np.int64)
        return cls(like + int(kind), like + first, like + stop, like + call, like + times)

    def __len__(self) -> int:
        """Count them."""
        return len(self.first)

    def joined(self, *others: Spans) -> Spans:
        """Put spans together, in order."""
        columns = [
            np.concatenate([getattr(spans, name) for spans in (self, *others)])
            for name in ("kind", "first", "stop", "call", "times")
        ]
        return Spans(*columns).in_order()

    def in_order(self) -> Spans:
        """Sort by first row, longer ones first; of equal ones a module lies around a repeat.

        Equal modules keep their order, which has callers before those they call.
        """
        order = np.lexsort((np.arange(len(self)), self.kind, -self.stop, self.first))
        return Spans(
            *(getattr(self, name)[order] for name in ("kind", "first", "stop", "call", "times"))
        )

    def parents(self, rows: int) -> tuple[Longs, Longs]:
        """Give the innermost span around each span, and around each row; -1 for none.

        Spans are painted from the outermost on, one depth after the other.
        """
        parent = np.full(len(self), -1, np.int64)
        around = np.full(rows, -1, np.int64)
        for spans in self.by_depth():
            parent[spans] = around[self.first[spans]]
            length = self.stop[spans] - self.first[spans]
            before = np.cumsum(length) - length
            places = np.repeat(self.first[spans] - before, length) + np.arange(length.sum())
            around[places] = np.repeat(spans, length)
        return parent, around

    def by_depth(self) -> list[Longs]:
        """Part them by how many others lie around them."""
        depth = np.zeros(len(self), np.int64)
        opened: list[int] = []
        stops = self.stop.tolist()
        for span, first in enumerate(self.first.tolist()):
            while opened and stops[opened[-1]] <= first:
                opened.pop()
            depth[span] = len(opened)
            opened.append(span)
        order = np.argsort(depth, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1) if len(order) else []
