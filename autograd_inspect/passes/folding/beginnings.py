"""Beginnings: the first instance of a repeat, which no other one comes before."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.signatures import Signatures, Words, leaf_shapes, mixed


class Beginnings:
    """Tells whether what comes before a repeat is one more instance of it.

    What the others take from the one before them, the first one takes from elsewhere: from a leaf,
    as the steps of a recurrence that begins with a state to be learned.
    """

    def __init__(self, rows: Rows, signatures: Signatures) -> None:
        start, node = rows.graph.edge_table.start, rows.node
        arrows, uses = rows.arrows, rows.uses
        self._looks = signatures.without_leaves
        self._source, self._target = arrows.source.astype(np.int64), arrows.target.astype(np.int64)
        self._slot = arrows.edge - start[node[arrows.source]]
        self._user = uses.source.astype(np.int64)
        self._user_slot = rows.use_edge - start[node[uses.source]]
        self._words = (
            mixed(self._source - self._target, arrows.output),
            leaf_shapes(rows),
        )

    def is_first(self, before: int, first: int) -> bool:
        """Tell whether rows `before` to `first` are an instance as those that begin at `first`."""
        rows = first - before
        if not np.array_equal(self._looks[before:first], self._looks[first : first + rows]):
            return False
        span = _between(self._source, first, first + rows)
        carried = self._target[span] < first
        free = _keys(self._source[span][carried] - first, self._slot[span][carried])
        return np.array_equal(self._inputs(before, rows, free), self._inputs(first, rows, free))

    def _inputs(self, first: int, rows: int, free: Longs) -> Words:
        """Say what some rows take from each other and from leaves, `free` inputs left out."""
        span = _between(self._source, first, first + rows)
        inner = self._target[span] >= first
        used = _between(self._user, first, first + rows)
        sides = (
            (self._source[span][inner], self._slot[span][inner], self._words[0][span][inner]),
            (self._user[used], self._user_slot[used], self._words[1][used]),
        )
        place, slot, word = (np.concatenate(columns) for columns in zip(*sides, strict=True))
        key = _keys(place - first, slot)
        kept: Bools = ~np.isin(key, free)
        return np.sort(mixed(key[kept], word[kept].view(np.int64)))


def _keys(place: Longs, slot: Longs) -> Longs:
    return place * 2**32 + slot


def _between(sorted_rows: Longs, first: int, stop: int) -> slice:
    return slice(*np.searchsorted(sorted_rows, [first, stop]).tolist())
