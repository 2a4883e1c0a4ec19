"""Beginnings: the first instance of a repeat, which no other one comes before."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.tables import Longs
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

    def is_first(self, before: int, model: int, rows: int) -> bool:
        """Tell whether rows from `before` on are a first instance, where `model` is a later one."""
        if not np.array_equal(
            self._looks[before : before + rows], self._looks[model : model + rows]
        ):
            return False
        span = _between(self._source, model, model + rows)
        target = self._target[span]
        carried = (target < model) & (target >= before)
        free = _keys(self._source[span][carried] - model, self._slot[span][carried])
        there, here = (self.inputs(first, rows, free) for first in (before, model))
        return np.array_equal(there, here)

    def inputs(self, first: int, rows: int, free: Longs | None = None) -> Words:
        """Say what rows take from each other, from leaves and from elsewhere, but for `free`."""
        span = _between(self._source, first, first + rows)
        used = _between(self._user, first, first + rows)
        from_rows = np.where(self._target[span] >= first, self._words[0][span], 0)
        place = np.concatenate([self._source[span], self._user[used]]) - first
        key = _keys(place, np.concatenate([self._slot[span], self._user_slot[used]]))
        word = np.concatenate([from_rows, self._words[1][used]])
        if free is not None:
            kept = ~np.isin(key, free)
            key, word = key[kept], word[kept]
        return np.sort(mixed(key, word.view(np.int64)))


def _keys(place: Longs, slot: Longs) -> Longs:
    return place * 2**32 + slot


def _between(sorted_rows: Longs, first: int, stop: int) -> slice:
    return slice(*np.searchsorted(sorted_rows, [first, stop]).tolist())
