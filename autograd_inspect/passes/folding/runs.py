"""Runs: stretches of parts that come again directly behind each other, `abcabcabc`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.repeats import LONGEST_PERIOD, may_repeat

#: Where all but so few parts are one run, no longer period is looked for.
_ENOUGH = 24
#: A run that spares no more rows than this hides more than it helps.
_SPARED = 3
#: Of two instances only, each has so many rows at least.
_ROWS_OF_TWO = 8
#: Candidates looked at, best ones first.
_LOOKED_AT = 50_000


@dataclass(frozen=True, slots=True)
class Run:
    """`times` instances of `period` parts, the first of which begins at part `start`.

    They might as well begin `later`, by so many parts, without there being fewer.
    """

    start: int
    period: int
    times: int
    later: int = 0

    @property
    def stop(self) -> int:
        """The part after its last."""
        return self.start + self.period * self.times


#: Gives as much of a run as may be folded, in several runs where it is no single one.
Judge = Callable[[Run], Sequence[Run]]


def spares(rows: Longs, times: Longs) -> Bools:
    """Tell whether it helps to fold so many instances of so many rows each."""
    enough = (times >= 3) | (rows >= _ROWS_OF_TWO)
    found: Bools = enough & (rows * (times - 1) > _SPARED)
    return found


def choose_runs(symbols: Longs, rows: Longs, starts: Longs, judge: Judge) -> list[Run]:
    """Choose runs that do not overlap, those that spare most rows first.

    `rows` counts the rows of each part. `starts` says how well an instance begins there, lower is
    better: where a repeat begins is a matter of taste, `abcabcab` holds two `abc` and two `bca`.
    """
    taken = bytearray(len(symbols))
    chosen = []
    for run in _best_first(symbols, rows, starts):
        if taken.find(1, run.start, run.stop) >= 0:
            continue
        for good in judge(run):
            if taken.find(1, good.start, good.stop) < 0:
                taken[good.start : good.stop] = b"\1" * (good.stop - good.start)
                chosen.append(good)
    return sorted(chosen, key=lambda run: run.start)


def _best_first(symbols: Longs, rows: Longs, starts: Longs) -> Iterator[Run]:
    start, period, length = _maximal_runs(symbols, rows)
    before = np.append(0, np.cumsum(rows))
    times = length // period
    spared = (before[start + period] - before[start]) * (times - 1)
    # Of a run found under a period and its multiples too, the shortest period comes first.
    for index in np.lexsort((period, -spared))[:_LOOKED_AT].tolist():
        first, parts, slack = (int(x) for x in (start[index], period[index], length[index]))
        slack %= parts
        # The second instance tells: before the first of a loop there is something else.
        heads = starts[first + parts : first + parts + slack + 1]
        best = np.flatnonzero(heads == heads.min())
        shift, later = int(best[0]), int(best[-1] - best[0])
        yield Run(first + shift, parts, int(times[index]), later)


def _maximal_runs(symbols: Longs, rows: Longs) -> Longs:
    """Find where symbols repeat: columns start, period, length of each maximal run."""
    found = [np.zeros((3, 0), np.int64)]
    count = len(symbols)
    before = np.append(0, np.cumsum(rows))
    for period in range(1, min(LONGEST_PERIOD, count // 2) + 1):
        if not may_repeat(symbols, period):
            continue
        equal = symbols[period:] == symbols[:-period]
        breaks = np.concatenate([[-1], np.flatnonzero(~equal), [len(equal)]])
        matching = np.diff(breaks) - 1
        long = np.flatnonzero(matching >= period)
        start, length = breaks[long] + 1, matching[long] + period
        good = spares(before[start + period] - before[start], length // period)
        start, length = start[good], length[good]
        if not len(start):
            continue
        found.append(np.stack([start, np.full_like(start, period), length]))
        if count - length.max() + period < _ENOUGH:
            break  # this one alone is nearly all; multiples of the period would spare less
    return np.concatenate(found, axis=1)
