"""Chains: operations of which each feeds only the next."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.spans import Spans

_SHORTEST = 3
#: Room for a row beside another one in one number.
_BITS = 31


def chain_spans(rows: Rows, spans: Spans) -> Spans:
    """Find the chains of three and more rows that lie directly in one of `spans`, or in none.

    What a span consists of altogether is no chain in it, and none goes from one instance of a
    repeat to the next.
    """
    around = Nesting(spans, len(rows)).around
    arrows = rows.arrows
    users = np.bincount(arrows.target, minlength=len(rows))
    inputs = np.bincount(arrows.source, minlength=len(rows))
    follows = np.zeros(len(rows), np.bool_)
    only = inputs[arrows.source] == 1
    follows[arrows.source[only & (arrows.source - arrows.target == 1)]] = True
    follows[1:] &= (users[:-1] == 1) & (around[1:] == around[:-1])
    first, stop = _instances(spans)
    follows[first[first < len(rows)]] = False
    begins = np.flatnonzero(~follows)
    ends = np.append(begins[1:], len(rows))
    long = ends - begins >= _SHORTEST
    begins, ends = begins[long], ends[long]
    kept = ~np.isin(begins << _BITS | ends, first << _BITS | stop)
    return Spans.of(FoldKind.CHAIN, begins[kept], ends[kept])


def _instances(spans: Spans) -> tuple[Longs, Longs]:
    """Give where each span, and each instance of a repeat, begins and ends."""
    period = (spans.stop - spans.first) // spans.times
    before = np.cumsum(spans.times) - spans.times
    number = np.arange(spans.times.sum()) - np.repeat(before, spans.times)
    first = np.repeat(spans.first, spans.times) + number * np.repeat(period, spans.times)
    return first, first + np.repeat(period, spans.times)
