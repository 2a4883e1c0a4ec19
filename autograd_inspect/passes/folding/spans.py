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
