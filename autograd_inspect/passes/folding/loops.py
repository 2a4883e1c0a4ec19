"""Repeats: what comes several times in a row, layers as well as steps of a loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.beginnings import Beginnings
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.heads import Heads
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.runs import Run, choose_runs
from autograd_inspect.passes.folding.signatures import Signatures
from autograd_inspect.passes.folding.spans import Spans
from autograd_inspect.passes.folding.wiring import Wiring

#: Loops in loops of which no instance is short enough to be seen whole: each round folds one.
_ROUNDS = 6
#: How often, on the average, each row is compared with another before the search ends,
_PATIENCE = 30
#: and what one more comparison costs, in rows.
_PRICE = 100
#: So many turns may differ in what they are connected to.
_FACTORS = 4


def repeat_spans(rows: Rows, calls: Spans) -> Spans:
    """Find what repeats among the parts of each module call, and outside of all.

    Calls that look alike are looked into once.
    """
    signatures = Signatures(rows, calls)
    directly = _Directly(rows, calls, signatures)
    search = _Search(Wiring(rows), Beginnings(rows, signatures), _PATIENCE * len(rows))
    columns = [search.repeats_in(directly.parts_of(-1))]
    looks, which = np.unique(signatures.of_spans, return_inverse=True)
    by_look = np.argsort(which, kind="stable")
    for alike in np.split(by_look, np.searchsorted(which[by_look], np.arange(1, len(looks)))):
        if len(alike):
            found = search.repeats_in(directly.parts_of(int(alike[0])))
            columns.append(_copied(found, calls.first[alike] - calls.first[alike[0]]))
    first, stop, times = np.concatenate(columns, axis=1)
    return Spans.of(FoldKind.REPEAT, first, stop, times=times)


def _copied(columns: Longs, by: Longs) -> Longs:
    """Give repeats, as columns first, stop and times, once for each number of rows to go on."""
    if not columns.size:
        return columns
    moved = np.repeat(columns[:, :, None], len(by), axis=2)
    moved[:2] += by
    return moved.reshape(3, -1)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What lies side by side, in order: rows, and spans of rows.

    first, stop  its rows
    symbol       equal for parts that look alike
    start        how well an instance of a repeat begins there, lower is better
    """

    first: Longs
    stop: Longs
    symbol: Longs
    start: Longs

    def __len__(self) -> int:
        return len(self.first)

    def between(self, start: int, stop: int) -> _Parts:
        """Give some of them."""
        part = slice(start, stop)
        return _Parts(self.first[part], self.stop[part], self.symbol[part], self.start[part])

    def folded(self, runs: list[Run]) -> _Parts:
        """Make one part of each run; those that look alike and come as often have one symbol."""
        stop, symbol = self.stop.copy(), self.symbol.copy()
        kept = np.ones(len(self), np.bool_)
        names: dict[tuple[bytes, int], int] = {}
        lowest = int(symbol.min())
        for run in runs:
            kept[run.start + 1 : run.stop] = False
            stop[run.start] = self.stop[run.stop - 1]
            instances = self.symbol[run.start : run.start + 2 * run.period]
            name = instances.tobytes(), run.times
            symbol[run.start] = lowest - 1 - names.setdefault(name, len(names))
        return _Parts(self.first[kept], stop[kept], symbol[kept], self.start[kept])


class _Directly:
    """What each call directly consists of."""

    def __init__(self, rows: Rows, calls: Spans, signatures: Signatures) -> None:
        first = np.concatenate([np.arange(len(rows)), calls.first])
        stop = np.concatenate([np.arange(len(rows)) + 1, calls.stop])
        looks = np.concatenate([signatures.of_rows, signatures.of_spans])
        nesting = Nesting(calls, len(rows))
        inside = np.concatenate([nesting.around, nesting.parent])
        order = np.lexsort((first, inside))
        self._inside = inside[order]
        self._first, self._stop, self._looks = first[order], stop[order], looks[order]
        self._heads = Heads(rows)

    def parts_of(self, call: int) -> _Parts:
        """Give the parts of a call, -1 for what is outside of all calls."""
        chosen = slice(*np.searchsorted(self._inside, [call, call + 1]).tolist())
        first, stop = self._first[chosen], self._stop[chosen]
        symbol = np.unique(self._looks[chosen], return_inverse=True)[1].astype(np.int64)
        return _Parts(first, stop, symbol, self._heads.rank(first, stop))


class _Search:
    """Looks for repeats among parts, and in these for others."""

    def __init__(self, wiring: Wiring, beginnings: Beginnings, patience: int) -> None:
        self._wiring, self._beginnings, self._patience = wiring, beginnings, patience

    def repeats_in(self, parts: _Parts) -> Longs:
        """Find repeats: columns first, stop, times; those in others once in each instance."""
        found = [np.zeros((3, 0), np.int64)]
        plain = int(parts.symbol.min(initial=0))
        known: dict[bytes, Longs] = {}
        for _ in range(_ROUNDS):
            if len(parts) < 2:
                break
            judge = partial(self._judged, parts=parts)
            runs = choose_runs(parts.symbol, parts.stop - parts.first, parts.start, judge)
            if not runs:
                break
            for run in runs:
                first, stop = int(parts.first[run.start]), int(parts.stop[run.stop - 1])
                found.append(np.array([[first], [stop], [run.times]]))
                # The first instance may take what it needs from elsewhere: the next is the model.
                model = parts.between(run.start + run.period, run.start + 2 * run.period)
                if run.period > 1 and (model.symbol >= plain).all():
                    rows = (stop - first) // run.times
                    inner = self._repeats_in_like(model, known)
                    found.append(_copied(inner, first + np.arange(0, stop - first, rows)))
            parts = parts.folded(runs)
        return np.concatenate(found, axis=1)

    def _repeats_in_like(self, parts: _Parts, known: dict[bytes, Longs]) -> Longs:
        """Find repeats among parts, if not `known` of such; rows count from their first."""
        first, stop = int(parts.first[0]), int(parts.stop[-1])
        inputs = self._beginnings.inputs(first, stop - first)
        look = parts.symbol.tobytes() + inputs.tobytes()
        if look not in known:
            known[look] = self.repeats_in(parts) - np.array([[first], [first], [0]])
        return known[look]

    def _judged(self, run: Run, parts: _Parts) -> list[Run]:
        """Give the stretches of a run that are connected alike, with the instance before each."""
        for factor in range(1, _FACTORS + 1):
            # What looks alike in each turn may be connected alike in every second one only.
            found = self._begun(
                replace(run, period=run.period * factor, times=run.times // factor), parts
            )
            if found:
                return found
        return []

    def _begun(self, run: Run, parts: _Parts) -> list[Run]:
        """Choose where instances begin, if that is not told by how well they may."""
        found = self._connected(run, parts)
        if found and run.later:
            later = self._connected(replace(run, start=run.start + run.later), parts)
            found = later if _instances(later) > _instances(found) else found
        if found and _instances(found) < run.times:
            # The beginning has been chosen for more instances than there are.
            start = max(found, key=lambda good: good.times).start
            shift = int(np.argmin(parts.start[start + run.period : start + 2 * run.period]))
            fewer = replace(run, start=run.start + shift, times=run.times - 1)
            better = self._connected(fewer, parts)
            found = better if _instances(better) >= _instances(found) else found
        return found

    def _connected(self, run: Run, parts: _Parts) -> list[Run]:
        return [self._with_first(good, parts) for good in self._agreeing(run, parts)]

    def _agreeing(self, run: Run, parts: _Parts) -> list[Run]:
        first, stop = int(parts.first[run.start]), int(parts.stop[run.stop - 1])
        self._patience -= stop - first
        if self._patience < 0 or run.times < 2:
            return []
        stretches = self._wiring.agreeing(first, stop, run.times)
        return [Run(run.start + skip * run.period, run.period, n) for skip, n in stretches]

    def _with_first(self, run: Run, parts: _Parts) -> Run:
        """Take the instance before a run along, if there is one that begins it."""
        before = run.start - run.period
        self._patience -= _PRICE
        if before < 0 or self._patience < 0:
            return run
        begin, first = int(parts.first[before]), int(parts.first[run.start])
        there, here = (
            parts.stop[start : start + run.period] - parts.first[start]
            for start in (before, run.start)
        )
        rows = first - begin
        model = first + min(2, run.times - 1) * rows  # what comes from two before it is told
        if np.array_equal(there, here) and self._beginnings.is_first(begin, model, rows):
            return Run(before, run.period, run.times + 1)
        return run


def _instances(runs: list[Run]) -> int:
    return sum(run.times for run in runs)
