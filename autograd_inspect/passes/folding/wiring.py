"""Wiring: whether instances of a repeat are connected alike, and one with the next."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.runs import spares

#: So many instances that do not need each other are a repeat all the same,
_MANY = 8
#: and fewer where each is so large: the queries, keys and values of attention are none.
_SOME, _LARGE = 4, 8
#: How often, on the average, each row is looked at before the search ends.
_PATIENCE = 30


class Wiring:
    """The arrows of rows, to be compared from one span of rows to the next."""

    def __init__(self, rows: Rows) -> None:
        arrows = rows.arrows
        self._source, self._target = arrows.source.astype(np.int64), arrows.target.astype(np.int64)
        slot = arrows.edge - rows.graph.edge_table.start[rows.node[arrows.source]]
        self._slots = int(slot.max(initial=0)) + 1
        self._slot, self._output = slot, arrows.output.astype(np.int64)
        self._left = _PATIENCE * len(rows)

    def agreeing(self, first: int, stop: int, times: int) -> tuple[int, int]:
        """Give how many instances to leave out in front, and how many then make a repeat, or 0."""
        self._left -= stop - first
        if self._left < 0:
            return 0, 0
        agree, feeds = self._agree(first, stop, times)
        ends = np.flatnonzero(np.diff(np.concatenate([[False], agree, [False]]).astype(np.int8)))
        begins, lengths = ends[::2], ends[1::2] - ends[::2]
        longest = int(np.argmax(lengths))
        found, rows = int(lengths[longest]), (stop - first) // times
        together = feeds or found >= (_SOME if rows >= _LARGE else _MANY)
        return int(begins[longest]), found if together and spares(rows, found) else 0

    def _arrows(self, first: int, stop: int) -> slice:
        """Give the arrows that start in a span of rows."""
        return slice(*np.searchsorted(self._source, [first, stop]).tolist())

    def _agree(self, first: int, stop: int, times: int) -> tuple[Bools, bool]:
        """Tell which instances have the arrows that the one in the middle has.

        Where a later one takes something from an instance before it, the first ones take it from
        before the loop, or not at all. Also tell whether instances take anything from others.
        """
        span, period = self._arrows(first, stop), (stop - first) // times
        source, target = self._source[span] - first, self._target[span] - first
        instance, place = np.divmod(source, period)
        reach = np.where(target >= 0, source - target, 0)
        key = place * self._slots + self._slot[span]
        model = np.flatnonzero(instance == times // 2)
        model = model[np.argsort(key[model])]
        at = np.searchsorted(key[model], key)
        known = np.append(key[model], -1)[at] == key
        usual = np.append(reach[model], -1)[at]
        same = known & (np.append(self._output[span][model], -1)[at] == self._output[span])
        same &= usual == reach
        excused = (reach == 0) & ((instance == 0) | (usual > source))
        agree = np.bincount(instance[~same & ~excused], minlength=times) == 0
        count = np.bincount(instance, minlength=times)
        early = np.arange(times) * period < reach[model].max(initial=0)
        early[0] = True
        agree &= np.where(early, count <= len(model), count == len(model))
        return agree, bool((reach[model] > place[model]).any())
