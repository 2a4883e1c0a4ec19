"""Kinds of folds: modules of one class, loops of one body, as deep as each other."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.signatures import class_numbers, mixed
from autograd_inspect.passes.folding.spans import Spans


def kinds_of(rows: Rows, spans: Spans, nesting: Nesting) -> Longs:
    """Give each span the number of its kind, in the order in which they come."""
    depth = np.zeros(len(spans), np.int64)
    for number, level in enumerate(nesting.levels):
        depth[level] = number
    _, first, which = np.unique(
        mixed(depth, spans.kind, _bodies(rows, spans)), return_index=True, return_inverse=True
    )
    numbers = np.empty(len(first), np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    found: Longs = numbers[which]
    return found


def _bodies(rows: Rows, spans: Spans) -> Longs:
    """Give a number for what a span consists of: a class, or the ends and length of a loop."""
    table, classes = rows.graph.node_table, class_numbers(rows.graph)
    op = mixed(table.op[rows.node], classes[table.call[rows.node]]).view(np.int64)
    length = (spans.stop - spans.first) // spans.times
    loop = mixed(op[spans.first], op[spans.first + length - 1], length).view(np.int64)
    chain = np.zeros(len(spans), np.int64)
    found: Longs = np.choose(spans.kind, [classes[spans.call], loop, chain])
    return found
