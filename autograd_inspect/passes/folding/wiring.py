"""Wiring: whether instances of a repeat are connected alike, and one with the next."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.tables import Bools
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.runs import spares

#: So many instances that do not need each other are a repeat all the same,
_MANY = 8
#: and fewer where each is so large: the queries, keys and values of attention are none.
_SOME, _LARGE = 4, 8


class Wiring:
    """The arrows of rows, to be compared from one span of rows to the next."""

    def __init__(self, rows: Rows) -> None:
        arrows = rows.arrows
        self._source, self._target = arrows.source.astype(np.int64), arrows.target.astype(np.int64)
        slot = arrows.edge - rows.graph.edge_table.start[rows.node[arrows.source]]
        self._slots = int(slot.max(initial=0)) + 1
        self._slot, self._output = slot, arrows.output.astype(np.int64)

    def agreeing(self, first: int, stop: int, times: int) -> list[tuple[int, int]]:
        """Give the stretches of instances that make a repeat: where each begins, and its length."""
        rows = (stop - first) // times
        # The one in the middle is compared with; but there a loop may begin anew.
        for model in dict.fromkeys([times // 2, min(times // 2 + 1, times - 1)]):
            agree, feeds = self._agree(first, rows, model, times)
            least = 2 if feeds else _SOME if rows >= _LARGE else _MANY
            changes = np.diff(np.concatenate([[False], agree, [False]]).astype(np.int8))
            begins, ends = np.flatnonzero(changes > 0), np.flatnonzero(changes < 0)
            good = (ends - begins >= least) & spares(np.full(len(ends), rows), ends - begins)
            if good.any():
                return list(zip(begins[good].tolist(), (ends - begins)[good].tolist(), strict=True))
        return []

    def _arrows(self, first: int, stop: int) -> slice:
        """Give the arrows that start in a span of rows."""
        return slice(*np.searchsorted(self._source, [first, stop]).tolist())

    def _agree(self, first: int, period: int, model: int, times: int) -> tuple[Bools, bool]:
        """Tell which instances have the arrows that one of them has.

        Where a later one takes something from an instance before it, the first ones take it from
        before the loop, or not at all. Also tell whether instances take anything from others.
        """
        span = self._arrows(first, first + period * times)
        source, target = self._source[span] - first, self._target[span] - first
        instance, place = np.divmod(source, period)
        reach = np.where(target >= 0, source - target, 0)
        key = place * self._slots + self._slot[span]
        usual = np.flatnonzero(instance == model)
        usual = usual[np.argsort(key[usual])]
        at = np.searchsorted(key[usual], key)
        known = np.append(key[usual], -1)[at] == key
        far = np.append(reach[usual], -1)[at]
        same = known & (np.append(self._output[span][usual], -1)[at] == self._output[span])
        same &= far == reach
        excused = (reach == 0) & ((instance == 0) | (far > source))
        agree = np.bincount(instance[~same & ~excused], minlength=times) == 0
        count = np.bincount(instance, minlength=times)
        early = np.arange(times) * period < reach[usual].max(initial=0)
        early[0] = True
        agree &= np.where(early, count <= len(usual), count == len(usual))
        return agree, bool((reach[usual] > place[usual]).any())
