"""Rows that come again and again, folded to one instance.

Rows are symbols here: two rows with one symbol look alike. A repeat is tandem: its instances follow
each other directly, `abcabcabc`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.tables import Longs

LONGEST_PERIOD = 512

#: A fold that saves fewer lines than this hides more than it helps.
_FEWEST_SAVED = 3
#: Folds of folds of folds: each pass at least halves what it folds.
_PASSES = 6
#: Matches in a row that make it worth looking at a whole period.
_PROBED = 6


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One instance, which comes `times` more; the last of them ends before row `stop`."""

    tokens: Longs
    times: int
    stop: int


class Folding:
    """Rows and the folds found among them.

    A token is a row by its number, or fold number i as `~i`; `tokens` are the outermost ones.
    """

    def __init__(self, symbols: Longs, preference: Longs, *, budget: int) -> None:
        """Fold until what is left fits `budget` lines, or nothing repeats any more.

        `preference` says of each row how well an instance may start there, lower is better: where a
        repeat begins is mostly a matter of taste, `abcabcab` holds two `abc` and two `bca`.
        """
        self.folds: list[Fold] = []
        self._names: dict[tuple[bytes, int], int] = {}
        rows = np.arange(len(symbols))
        self.tokens = self._fold(rows, symbols, preference, budget)
        if self.lines(self.tokens) > budget:
            for number, fold in enumerate(list(self.folds)):
                if (fold.tokens >= 0).all():
                    inside = fold.tokens, symbols[fold.tokens], preference[fold.tokens]
                    self.folds[number] = Fold(self._fold(*inside, 0), fold.times, fold.stop)

    def lines(self, tokens: Longs) -> int:
        """Count the lines of tokens: a fold shows one instance, and a line that says the rest."""
        folds = (self.folds[~token] for token in tokens[tokens < 0].tolist())
        return len(tokens) + sum(self.lines(fold.tokens) for fold in folds)

    def first_row(self, token: int) -> int:
        """Give the first row that a token stands for."""
        while token < 0:
            token = int(self.folds[~token].tokens[0])
        return token

    def after(self, token: int) -> int:
        """Give the row after the last one that a token stands for."""
        return token + 1 if token >= 0 else self.folds[~token].stop

    def _fold(self, tokens: Longs, symbols: Longs, preference: Longs, budget: int) -> Longs:
        for _ in range(_PASSES):
            runs = _choose(_find_runs(symbols, budget=budget), symbols, preference)
            if not runs:
                break
            kept = np.ones(len(tokens), np.bool_)
            tokens, named = tokens.copy(), symbols.copy()
            for run in runs:
                kept[run.start + 1 : run.stop] = False
                instance = slice(run.start, run.start + run.period)
                # Folds that look alike get one symbol, so that they can repeat in their turn.
                name = symbols[instance].tobytes(), run.times
                named[run.start] = self._names.setdefault(name, -1 - len(self._names))
                stop = self.after(int(tokens[run.stop - 1]))
                self.folds.append(Fold(tokens[instance].copy(), run.times - 1, stop))
                tokens[run.start] = ~(len(self.folds) - 1)
            tokens, symbols, preference = tokens[kept], named[kept], preference[kept]
            if self.lines(tokens) <= budget:
                break
        return tokens


@dataclass(frozen=True, slots=True)
class _Run:
    start: int
    period: int
    times: int

    @property
    def stop(self) -> int:
        return self.start + self.period * self.times


def _find_runs(symbols: Longs, *, budget: int) -> Longs:
    """Find where symbols repeat: columns start, period, length of each maximal run."""
    found = [np.zeros((3, 0), np.int64)]
    count = len(symbols)
    for period in range(1, min(LONGEST_PERIOD, count // 2) + 1):
        if not may_repeat(symbols, period):
            continue
        equal = symbols[period:] == symbols[:-period]
        breaks = np.concatenate([[-1], np.flatnonzero(~equal), [len(equal)]])
        matching = np.diff(breaks) - 1
        long = np.flatnonzero(matching >= max(period, _FEWEST_SAVED + 1))
        if not len(long):
            continue
        start, length = breaks[long] + 1, matching[long] + period
        found.append(np.stack([start, np.full_like(start, period), length]))
        if count - length.max() + period < budget:
            break  # this one alone makes it fit; multiples of the period would save less
    return np.concatenate(found, axis=1)


def may_repeat(symbols: Longs, period: int) -> bool:
    """Tell cheaply whether rows could repeat with a period.

    One whole period of matches contains a multiple of the period, and half a period of matches lies
    on one side of that: look only there.
    """
    probes = np.arange(0, len(symbols) - period, period)
    probes = probes[symbols[probes] == symbols[probes + period]]
    for sign in (1, -1):
        left = probes
        for step in range(1, min(_PROBED, period // 2) + 1):
            at = left + sign * step
            left, at = (part[(at >= 0) & (at < len(symbols) - period)] for part in (left, at))
            left = left[symbols[at] == symbols[at + period]]
        if len(left):
            return True
    return False


def _choose(runs: Longs, symbols: Longs, preference: Longs) -> list[_Run]:
    """Choose runs that do not overlap, those that save most first."""
    _, period, length = runs
    saved = period * (length // period - 1) - 1
    # Of a run found under a period and its multiples too, the shortest period comes first.
    best = np.lexsort((period, -saved))[:50_000]
    taken = bytearray(len(symbols))
    chosen = []
    for index in best.tolist():
        if saved[index] < _FEWEST_SAVED:
            break
        run = _settle(runs[:, index].tolist(), preference)
        if taken.find(1, run.start, run.stop) < 0:
            taken[run.start : run.stop] = b"\1" * (run.stop - run.start)
            chosen.append(run)
    return sorted(chosen, key=lambda run: run.start)


def _settle(run: list[int], preference: Longs) -> _Run:
    """Start the run where an instance begins best without losing one."""
    start, period, length = run
    times, slack = divmod(length, period)
    shift = int(np.argmin(preference[start : start + slack + 1]))
    return _Run(start + shift, period, times)
