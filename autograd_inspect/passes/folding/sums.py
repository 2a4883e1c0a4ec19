"""True sums of rows and folds: what several things in a fold share counts once in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.folds import Figures
from autograd_inspect.model.tables import Floats, Longs, SavedRole, SavedState
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.spans import Spans

_OUTSIDE = np.iinfo(np.int64).max


class Sums:
    """Adds up figures over rows and spans, and over all; `norms` has one per node, or is None."""

    def __init__(self, rows: Rows, spans: Spans, nesting: Nesting, norms: Floats | None) -> None:
        self._rows = rows
        self._spans = spans
        self._nesting = nesting
        self._norms = np.full(len(rows.graph), np.nan) if norms is None else norms
        counted = np.flatnonzero(rows.row >= 0)
        self._row_of_node, self._node = rows.row[counted].astype(np.int64), counted

    def figures(self) -> tuple[Figures, Figures, Figures]:
        """Give the figures of the spans, of the rows, and of everything."""
        count = len(self._rows)
        nodes = self._plain(np.bincount(self._row_of_node, minlength=count).astype(np.int64))
        uses = self._rows.uses
        leaves = self._distinct(uses.source, uses.leaf, np.ones(len(uses.leaf), np.int64))
        columns = nodes, leaves, self._saved(), self._spent(), self._norm()
        of_spans, of_rows, whole = (Figures(*part) for part in zip(*columns, strict=True))
        return of_spans, of_rows, whole

    def _plain(self, values: Longs) -> tuple[Longs, Longs, Longs]:
        """Add values of rows up to spans, which are sums over what lies side by side."""
        total = np.append(0, np.cumsum(values))
        of_spans = total[self._spans.stop] - total[self._spans.first]
        return of_spans, values, total[-1:]

    def _distinct(
        self, row: npt.NDArray[np.integer], thing: npt.NDArray[np.integer], size: Longs
    ) -> tuple[Longs, Longs, Longs]:
        """Add up sizes of things that rows have in common, each once per row, span and in all."""
        if not len(row):
            return self._plain(np.zeros(len(self._rows), np.int64))
        order = np.lexsort((row, thing))
        row, thing, size = row[order].astype(np.int64), thing[order], size[order]
        again = (row[1:] == row[:-1]) & (thing[1:] == thing[:-1])
        kept = np.append(True, ~again)
        row, thing, size = row[kept], thing[kept], size[kept]
        of_rows = np.zeros(len(self._rows), np.int64)
        np.add.at(of_rows, row, size)
        # Once per row, less once in the innermost span around each two that share it.
        of_spans = self._plain(of_rows)[0]
        twice = np.flatnonzero(thing[1:] == thing[:-1])
        over = np.zeros(len(self._spans) + 1, np.int64)
        np.add.at(over, self._nesting.innermost_with(row[twice], row[twice + 1]), size[twice + 1])
        over = self._nesting.added_up(over)
        return of_spans - over[:-1], of_rows, of_rows.sum(keepdims=True) - over[-1:]

    def _saved(self) -> tuple[Longs, Longs, Longs]:
        """Count bytes held for backward, a storage once; parameters are there anyway."""
        table, row = self._rows.graph.saved_table, self._rows.row
        ours = (table.role != SavedRole.PARAMETER) & (table.role != SavedRole.BUFFER)
        kept = np.flatnonzero(
            (row[table.node] >= 0) & (table.state == SavedState.HELD) & ours & (table.leaf < 0)
        )
        storage = table.storage[kept].astype(np.int64)
        unknown = storage < 0
        storage[unknown] = np.arange(unknown.sum()) + storage.max(initial=0) + 1
        return self._distinct(row[table.node[kept]], storage, np.maximum(table.bytes[kept], 0))

    def _spent(self) -> tuple[Longs, Longs, Longs]:
        spent = self._rows.graph.node_times[self._node]
        known = np.flatnonzero(spent >= 0)
        total = np.zeros(len(self._rows), np.int64)
        np.add.at(total, self._row_of_node[known], spent[known])
        seen = np.bincount(self._row_of_node[known], minlength=len(self._rows)).astype(np.int64)
        sums = zip(self._plain(total), self._plain(seen), strict=True)
        of_spans, of_rows, whole = (np.where(any_, value, -1) for value, any_ in sums)
        return of_spans, of_rows, whole

    def _norm(self) -> tuple[Floats, Floats, Floats]:
        """Give the norm of what arrived at what each span puts out, and at each row."""
        rows = self._rows
        norm = self._norms[rows.node]
        square = norm**2
        last = np.full(len(rows), -1, np.int64)
        np.maximum.at(last, rows.arrows.target, rows.arrows.source)
        roots = rows.row[rows.graph.root_table.node]
        last[roots[roots >= 0]] = _OUTSIDE
        known = np.flatnonzero(~np.isnan(square) & (last >= 0))
        total, seen = np.zeros(len(self._spans)), np.zeros(len(self._spans), np.bool_)
        span = self._nesting.around[known]
        while len(known):
            inside = span >= 0
            inside[inside] = self._spans.stop[span[inside]] <= last[known[inside]]
            known, span = known[inside], span[inside]
            np.add.at(total, span, square[known])
            seen[span] = True
            span = self._nesting.parent[span]
        ends = square[roots[roots >= 0]]
        whole = np.sqrt(ends.sum(keepdims=True)) if len(ends) else np.full(1, np.nan)
        return np.where(seen, np.sqrt(total), np.nan), norm, whole
