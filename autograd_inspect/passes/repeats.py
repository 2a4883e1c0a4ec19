"""Rows that come again and again, folded to one instance.

Rows are symbols here: two rows with one symbol look alike. A repeat is tandem: its instances follow
each other directly, `abcabcabc`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.tables import Longs

LONGEST_PERIOD = 512

#: A fold that saves fewer lines than this hides more than it helps.
_FEWEST_SAVED = 3
#: Folds of folds of folds: each pass at least halves what it folds.
_PASSES = 6


@dataclass(frozen=True, slots=True)
class Fold:
    """One instance, which comes `times` more; the last of them ends before row `stop`."""

    items: tuple[Item, ...]
    times: int
    stop: int


Item = int | Fold
"""A row by its number, or a fold of rows."""


def fold_repeats(symbols: Longs, preference: Longs, *, budget: int) -> list[Item]:
    """Fold repeats until what is left fits `budget` lines, or nothing repeats any more.

    `preference` says of each row how well an instance may start there, lower is better: where a
    repeat begins is mostly a matter of taste, `abcabcab` holds two `abc` and two `bca`.
    """
    items: list[Item] = list(range(len(symbols)))
    names: dict[tuple[bytes, int], int] = {}
    level = (symbols.astype(np.int64), preference)
    for _ in range(_PASSES):
        runs = _choose(_find_runs(level[0], budget=budget), len(items), level[1])
        if not runs:
            break
        items, level = _replace(items, level, runs, names)
        if count_lines(items) <= budget:
            return items
    return [_fold_inside(item, symbols, preference) for item in items]


def count_lines(items: Iterable[Item]) -> int:
    """Count the lines that items take: a fold shows one instance and a line that says the rest."""
    return sum(1 if isinstance(item, int) else 1 + count_lines(item.items) for item in items)


def first_row(item: Item) -> int:
    """Give the first row that an item stands for."""
    while isinstance(item, Fold):
        item = item.items[0]
    return item


def after(item: Item) -> int:
    """Give the row after the last one that an item stands for."""
    return item.stop if isinstance(item, Fold) else item + 1


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
        equal = symbols[period:] == symbols[:-period]
        if np.count_nonzero(equal) < period:
            continue
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


def _choose(runs: Longs, count: int, preference: Longs) -> list[_Run]:
    """Choose runs that do not overlap, those that save most first."""
    start, period, length = runs
    saved = period * (length // period - 1) - 1
    # Of a run found under a period and its multiples too, the shortest period comes first.
    best = np.lexsort((period, -saved))[:50_000]
    taken = bytearray(count)
    chosen = []
    for index in best.tolist():
        if saved[index] < _FEWEST_SAVED:
            break
        run = _settle(*(int(value) for value in runs[:, index]), preference)
        if taken.find(1, run.start, run.stop) < 0:
            taken[run.start : run.stop] = b"\1" * (run.stop - run.start)
            chosen.append(run)
    return sorted(chosen, key=lambda run: run.start)


def _settle(start: int, period: int, length: int, preference: Longs) -> _Run:
    """Start the run where an instance begins best without losing one."""
    times, slack = divmod(length, period)
    shift = int(np.argmin(preference[start : start + slack + 1]))
    return _Run(start + shift, period, times)


def _replace(
    items: list[Item],
    level: tuple[Longs, Longs],
    runs: list[_Run],
    names: dict[tuple[bytes, int], int],
) -> tuple[list[Item], tuple[Longs, Longs]]:
    """Put a fold in the place of each run; folds that look alike get one symbol."""
    symbols, preference = level
    replaced: list[Item] = []
    kept = []
    symbol_of_fold = {}
    position = 0
    for run in runs:
        replaced += items[position : run.start]
        kept += range(position, run.start + 1)
        instance = slice(run.start, run.start + run.period)
        name = symbols[instance].tobytes(), run.times
        symbol_of_fold[len(replaced)] = names.setdefault(name, -1 - len(names))
        replaced.append(
            Fold(tuple(items[instance]), run.times - 1, after(items[run.stop - 1]))
        )
        position = run.stop
    replaced += items[position:]
    kept += range(position, len(items))
    new_symbols = symbols[kept]
    new_symbols[list(symbol_of_fold)] = list(symbol_of_fold.values())
    return replaced, (new_symbols, preference[kept])


def _fold_inside(item: Item, symbols: Longs, preference: Longs) -> Item:
    """Fold what repeats inside the instance that a fold shows."""
    if isinstance(item, int) or not all(isinstance(part, int) for part in item.items):
        return item
    rows = np.array(item.items)
    inner = fold_repeats(symbols[rows], preference[rows], budget=0)
    return Fold(tuple(_shifted(part, int(rows[0])) for part in inner), item.times, item.stop)


def _shifted(item: Item, by: int) -> Item:
    if isinstance(item, int):
        return item + by
    return Fold(tuple(_shifted(part, by) for part in item.items), item.times, item.stop + by)
