"""Module calls as spans of rows."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.spans import Spans
from autograd_inspect.passes.likeness import calls_around


def call_spans(rows: Rows) -> Spans:
    """Give the spans of rows that module calls made.

    A call that other work interrupts, as threads and backward hooks do, is several spans.
    """
    call = rows.graph.node_table.call[rows.node]
    spans = Spans.of(FoldKind.MODULE, *np.zeros((2, 0), np.int64))
    broken = np.zeros(len(rows), np.bool_)  # where an outer span begins
    broken[:1] = True
    for level in calls_around(rows.graph):
        around = level[call]
        broken = broken | (np.diff(around, prepend=-2) != 0)
        first = np.flatnonzero(broken)
        stop = np.append(first[1:], len(rows))
        made = around[first] >= 0
        spans = spans.joined(
            Spans.of(FoldKind.MODULE, first[made], stop[made], call=around[first[made]])
        )
    return spans
