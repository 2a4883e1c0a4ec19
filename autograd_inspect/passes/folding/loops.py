"""Repeats: what comes several times in a row, layers as well as steps of a loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.tables import Bools, Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.signatures import Signatures
from autograd_inspect.passes.folding.spans import Spans
from autograd_inspect.passes.repeats import Folding

#: Where all but so few of a span's parts are one loop, no longer one is looked for.
_ENOUGH = 24
#: A repeat that spares less than this many lines hides more than it helps.
_FEWEST_SPARED = 3


@dataclass(frozen=True, slots=True)
class _Repeat:
    """A repeat by its rows: `times` instances from `first` up to `stop`."""

    first: int
    stop: int
    times: int

    @property
    def period(self) -> int:
        return (self.stop - self.first) // self.times


def repeat_spans(rows: Rows, calls: Spans) -> Spans:
    """Find what repeats among the parts of each module call, and outside of all.

    Calls that look alike are looked into once.
    """
    signatures = Signatures(rows, calls)
    parent, around = calls.parents(len(rows))
    parts = _Parts(rows, calls, signatures, parent, around)
    looks, which = np.unique(signatures.of_spans, return_inverse=True)
    by_look = np.argsort(which, kind="stable")
    alike = np.split(by_look, np.flatnonzero(np.diff(which[by_look])) + 1) if len(looks) else []
    found = [(repeat.first, repeat.stop, repeat.times) for repeat in _repeats_in(parts, -1)]
    for spans in alike:
        first = calls.first[spans]
        for repeat in _repeats_in(parts, int(spans[0])):
            start, stop = (end - int(first[0]) for end in (repeat.first, repeat.stop))
            found += [(at + start, at + stop, repeat.times) for at in first.tolist()]
    columns = np.array(found, np.int64).reshape(-1, 3).T
    return Spans.of(FoldKind.REPEAT, columns[0], columns[1], times=columns[2])


class _Parts:
    """What a span directly consists of: calls and rows, in order."""

    def __init__(
        self, rows: Rows, calls: Spans, signatures: Signatures, parent: Longs, around: Longs
    ) -> None:
        self.rows = rows
        first = np.concatenate([np.arange(len(rows)), calls.first])
        stop = np.concatenate([np.arange(len(rows)) + 1, calls.stop])
        looks = np.concatenate([signatures.of_rows, signatures.of_spans])
        inside = np.concatenate([around, parent])
        order = np.lexsort((first, inside))
        self._inside = inside[order]
        self.first, self.stop, self._looks = first[order], stop[order], looks[order]
        self._line = _lines(rows)
        self._joins = np.bincount(rows.arrows.source, minlength=len(rows)) > 1

    def of(self, span: int) -> slice:
        """Give the places of a span's parts among all, -1 for what is outside of all calls."""
        return slice(*np.searchsorted(self._inside, [span, span + 1]).tolist())

    def symbols(self, parts: slice) -> Longs:
        """Number the parts by how they look."""
        symbols: Longs = np.unique(self._looks[parts], return_inverse=True)[1].astype(np.int64)
        return symbols

    def good_starts(self, parts: slice) -> Longs:
        """Say how well an instance may begin at each part: best where the line jumps back.

        That is the head of a loop. After it comes what follows a place where ways meet, which is
        how a residual block ends.
        """
        line = self._line[self.first[parts]]
        back = np.diff(line, prepend=line[:1]) < 0
        joins = self._joins[self.stop[parts] - 1]
        after = np.append(False, joins[:-1])
        return np.where(back, 0, np.where(after, 1, 2)).astype(np.int64)


def _repeats_in(parts: _Parts, span: int) -> list[_Repeat]:
    """Find the repeats among the parts of one span, one in another too."""
    chosen = parts.of(span)
    if chosen.stop - chosen.start < 2 * _FEWEST_SPARED - 2:
        return []
    folding = Folding(parts.symbols(chosen), parts.good_starts(chosen), budget=0, enough=_ENOUGH)
    first, stop = parts.first[chosen], parts.stop[chosen]
    found: list[_Repeat] = []
    for token in folding.tokens[folding.tokens < 0].tolist():
        found += _written_out(folding, token, first, stop)
    return [good for repeat in found for good in _wired_alike(parts.rows, repeat)]


def _written_out(folding: Folding, token: int, first: Longs, stop: Longs) -> Iterator[_Repeat]:
    """Give a fold as a repeat, and those in it, once in each of its instances."""
    fold = folding.folds[~token]
    times = fold.times + 1
    outer = _Repeat(int(first[folding.first_row(token)]), int(stop[fold.stop - 1]), times)
    yield outer
    for inner in fold.tokens[fold.tokens < 0].tolist():
        for repeat in _written_out(folding, inner, first, stop):
            for by in range(0, outer.period * times, outer.period):
                yield _Repeat(repeat.first + by, repeat.stop + by, repeat.times)


def _wired_alike(rows: Rows, repeat: _Repeat) -> Iterator[_Repeat]:
    """Give as much of a repeat as is connected alike in each instance, nothing if it is not."""
    agree = _agreeing(rows, repeat)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], agree, [False]]).astype(np.int8)))
    begins, stops = ends[::2], ends[1::2]
    if not len(begins):
        return
    longest = int(np.argmax(stops - begins))
    first, stop = int(begins[longest]), int(stops[longest])
    if stop - first == repeat.times:
        yield repeat
    elif repeat.period * (stop - first - 1) > _FEWEST_SPARED and stop - first > 1:
        start = repeat.first + first * repeat.period
        yield _Repeat(start, start + (stop - first) * repeat.period, stop - first)


def _agreeing(rows: Rows, repeat: _Repeat) -> Bools:
    """Tell which instances have the arrows that the one in the middle has.

    What the first one takes comes from before the loop, or not at all, where a later one takes it
    from the instance before it.
    """
    arrows = rows.arrows
    span = slice(*np.searchsorted(arrows.source, [repeat.first, repeat.stop]).tolist())
    source, target = (column[span].astype(np.int64) for column in (arrows.source, arrows.target))
    instance, place = np.divmod(source - repeat.first, repeat.period)
    slot = arrows.edge[span] - rows.graph.edge_table.start[rows.node[source]]
    reach = np.where(target >= repeat.first, source - target, 0)
    key = place * (slot.max(initial=0) + 1) + slot
    model = np.flatnonzero(instance == repeat.times // 2)
    model = model[np.argsort(key[model])]
    at = np.searchsorted(key[model], key)
    known = np.append(key[model], -1)[at] == key
    same = known & (np.append(reach[model], -1)[at] == reach)
    excused = (instance == 0) & (reach == 0)
    differs = np.bincount(instance[~same & ~excused], minlength=repeat.times) > 0
    count = np.bincount(instance, minlength=repeat.times)
    fewer = count != len(model)
    fewer[0] = count[0] > len(model)
    return ~differs & ~fewer


def _lines(rows: Rows) -> Longs:
    """Give the number of the innermost line that made each row, 0 where unknown."""
    graph = rows.graph
    lines = [graph.places[stack.lines[0]].line if stack.lines else 0 for stack in graph.stacks]
    found: Longs = np.array([*lines, 0], np.int64)[graph.node_table.stack[rows.node]]
    return found
