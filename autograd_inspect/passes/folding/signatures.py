"""Signatures: numbers that are equal for rows, and for spans of rows, that look alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.spans import Spans

Words = npt.NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0xD1342543DE82EF95
_BASE_INVERSE = np.uint64(pow(_BASE, -1, 2**64))


class Signatures:
    """Of rows and of spans; two that differ have the same one by accident once in 2**64."""

    def __init__(self, rows: Rows, spans: Spans) -> None:
        """Take in what rows look like: operation, output, module class, wiring within the call.

        Names, scalars, lines and the numbers in module paths are left out: layers differ in them
        and still look alike.
        """
        self._spans = spans
        self._class = _classes(rows)
        self.of_rows = _looks(rows, self._class)
        count = np.arange(len(rows))
        powers = np.cumprod(np.where(count, np.uint64(_BASE), np.uint64(1)), dtype=np.uint64)
        self._down = np.cumprod(np.where(count, _BASE_INVERSE, np.uint64(1)), dtype=np.uint64)
        self._sums = np.append(np.uint64(0), np.cumsum(self.of_rows * powers, dtype=np.uint64))
        self.of_spans = self._of_spans()

    def _of_spans(self) -> Words:
        """Hash the rows of each span, whatever place it begins at, and what made it a span."""
        spans = self._spans
        if not len(spans):
            return np.zeros(0, np.uint64)
        inside = (self._sums[spans.stop] - self._sums[spans.first]) * self._down[spans.first]
        made = np.where(spans.kind == FoldKind.MODULE, self._class[spans.call], -1)
        return mixed(inside.view(np.int64), spans.stop - spans.first, spans.kind, made)


def mixed(*columns: npt.NDArray[np.integer]) -> Words:
    """Give one number per row of some columns, equal where all of them are."""
    found = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # An odd multiplier loses no bits.
        found = (found + column.astype(np.int64).view(np.uint64)) * _ODD
        found ^= found >> np.uint64(29)
    return found


def _classes(rows: Rows) -> Longs:
    """Number the classes of modules, per module call; last, for none, is -1."""
    graph = rows.graph
    numbers: dict[str, int] = {}
    of_module = [numbers.setdefault(module.cls, len(numbers)) for module in graph.modules]
    found: Longs = np.array([*of_module, -1], np.int64)[np.append(graph.call_table.module, -1)]
    return found


def _looks(rows: Rows, classes: Longs) -> Words:
    graph, node, outputs = rows.graph, rows.node, rows.graph.output_table
    number = np.diff(outputs.start)[node]
    spec = np.where(number > 0, np.append(outputs.spec, -1)[outputs.start[node]], -1)
    plain = mixed(
        graph.node_table.op[node],
        graph.node_table.kind[node],
        spec,
        number,
        np.bincount(rows.uses.source, minlength=len(rows)),
        classes[graph.node_table.call[node]],
    )
    return plain + _wiring(rows)


def _wiring(rows: Rows) -> Words:
    """Sum up, per row, what leads to others of the same call: from which input, and how far."""
    arrows, call = rows.arrows, rows.graph.node_table.call[rows.node]
    near = np.flatnonzero(call[arrows.source] == call[arrows.target])
    near = near[call[arrows.source[near]] >= 0]
    source, edge = arrows.source[near], arrows.edge[near]
    slot = edge - rows.graph.edge_table.start[rows.node[source]]
    words = mixed(slot, source - arrows.target[near], arrows.output[near])
    total = np.zeros(len(rows), np.uint64)
    np.add.at(total, source, words)
    return total
