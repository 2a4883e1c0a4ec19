"""Fold a graph: find all that may be shown as one, and add up what is in it."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Folds, FoldTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools
from autograd_inspect.passes.folding.calls import call_spans
from autograd_inspect.passes.folding.chains import chain_spans
from autograd_inspect.passes.folding.forward import forward_rows
from autograd_inspect.passes.folding.kinds import kinds_of
from autograd_inspect.passes.folding.loops import repeat_spans
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.sums import Sums
from autograd_inspect.passes.folding.titles import Titles
from autograd_inspect.passes.heat import gradient_norms


def fold(source: Capture | Graph, *, views: bool = False, kept: Bools | None = None) -> Folds:
    """Fold a graph, or what is `kept` of its nodes; with `views` these have rows of their own."""
    graph = source.graph if isinstance(source, Capture) else source
    rows = forward_rows(graph, views=views, kept=kept)
    calls = call_spans(rows)
    spans = calls.joined(repeat_spans(rows, calls))
    spans = spans.joined(chain_spans(rows, spans))
    nesting = Nesting(spans, len(rows))
    norms = gradient_norms(source) if isinstance(source, Capture) else None
    of_folds, of_rows, whole = Sums(rows, spans, nesting, norms).figures()
    return Folds(
        graph=graph,
        node=rows.node,
        fold=nesting.around.astype(np.int32),
        row=rows.row,
        table=FoldTable(
            kind=spans.kind.astype(np.uint8),
            parent=nesting.parent.astype(np.int32),
            first=spans.first.astype(np.int32),
            stop=spans.stop.astype(np.int32),
            call=spans.call.astype(np.int32),
            times=spans.times.astype(np.int32),
            like=kinds_of(rows, spans, nesting).astype(np.int32),
        ),
        arrows=rows.arrows,
        uses=rows.uses,
        titles=Titles(rows, spans, nesting),
        of_folds=of_folds,
        of_rows=of_rows,
        whole=whole,
        omitted=0 if kept is None else int(np.count_nonzero(~kept)),
    )
