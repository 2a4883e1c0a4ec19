"""Signatures: numbers that are equal for rows, and for spans of rows, that look alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.folds import FoldKind
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Longs
from autograd_inspect.passes.folding.forward import Rows
from autograd_inspect.passes.folding.nesting import Nesting
from autograd_inspect.passes.folding.spans import Spans

Words = npt.NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0xD1342543DE82EF95
_BASE_INVERSE = np.uint64(pow(_BASE, -1, 2**64))


class Signatures:
    """Of rows and of spans; two that differ have the same one by accident once in 2**64.

    of_rows         per row: operation, output, module class, leaves, number of views
    without_leaves  the same, leaves and views left out
    of_spans        per span: its rows, how they are connected in it, and what made it a span
    """

    def __init__(self, rows: Rows, spans: Spans) -> None:
        """Take in what rows look like.

        Names, scalars, lines and the numbers in module paths are left out: layers differ in them
        and still look alike. So is the first size of a shape, which is mostly a number of samples:
        an expert gets as many as are sent to it.
        """
        classes = class_numbers(rows.graph)
        self.without_leaves = _operations(rows, classes)
        counts = np.bincount(rows.row[rows.row >= 0], minlength=len(rows))
        self.of_rows = mixed(self.without_leaves.view(np.int64), counts) + _leaves(rows)
        self.of_spans = _of_spans(rows, spans, self.of_rows, classes)


def mixed(*columns: npt.NDArray[np.integer]) -> Words:
    """Give one number per row of some columns, equal where all of them are."""
    found = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # An odd multiplier loses no bits.
        found = (found + column.astype(np.int64).view(np.uint64)) * _ODD
        found ^= found >> np.uint64(29)
    return found


def class_numbers(graph: Graph) -> Longs:
    """Give the number of its class for each module call; last, for none, is -1."""
    numbers: dict[str, int] = {}
    of_module = [numbers.setdefault(module.cls, len(numbers)) for module in graph.modules]
    found: Longs = np.array([*of_module, -1], np.int64)[np.append(graph.call_table.module, -1)]
    return found


def _operations(rows: Rows, classes: Longs) -> Words:
    graph, node, outputs = rows.graph, rows.node, rows.graph.output_table
    number = np.diff(outputs.start)[node]
    spec = np.where(number > 0, np.append(outputs.spec, -1)[outputs.start[node]], -1)
    return mixed(
        graph.node_table.op[node],
        graph.node_table.kind[node],
        _per_sample(graph)[spec],
        number,
        classes[graph.node_table.call[node]],
    )


def _per_sample(graph: Graph) -> Longs:
    """Give specs that differ in the first size only one number; last, for none, is -1."""
    numbers: dict[tuple[object, ...], int] = {}
    keys = [(len(one.shape), one.shape[1:], one.dtype, one.device) for one in graph.specs]
    return np.array([*(numbers.setdefault(key, len(numbers)) for key in keys), -1], np.int64)


def leaf_shapes(rows: Rows) -> Words:
    """Give a number per use of a leaf, equal for leaves of one shape."""
    outputs = rows.graph.output_table
    return mixed(np.append(outputs.spec, -1)[outputs.start[rows.uses.leaf]])


def _leaves(rows: Rows) -> Words:
    """Sum up, per row, the shapes of the leaves that it uses."""
    total = np.zeros(len(rows), np.uint64)
    np.add.at(total, rows.uses.source, leaf_shapes(rows))
    return total


def _of_spans(rows: Rows, spans: Spans, of_rows: Words, classes: Longs) -> Words:
    """Hash the rows of each span, whatever place it begins at, and the arrows between them."""
    if not len(spans):
        return np.zeros(0, np.uint64)
    nesting = Nesting(spans, len(rows))
    count = np.arange(len(rows))
    powers = np.cumprod(np.where(count, np.uint64(_BASE), np.uint64(1)), dtype=np.uint64)
    down = np.cumprod(np.where(count, _BASE_INVERSE, np.uint64(1)), dtype=np.uint64)
    sums = np.append(np.uint64(0), np.cumsum(of_rows * powers, dtype=np.uint64))
    inside = sums[spans.stop] - sums[spans.first] + _arrows(rows, nesting, powers)
    inside *= down[spans.first]
    made = np.where(spans.kind == FoldKind.MODULE, classes[spans.call], -1)
    return mixed(inside.view(np.int64), spans.stop - spans.first, spans.kind, made)


def _arrows(rows: Rows, nesting: Nesting, powers: Words) -> Words:
    """Sum up, per span, the arrows that do not leave it: from which input, and how far."""
    arrows = rows.arrows
    slot = arrows.edge - rows.graph.edge_table.start[rows.node[arrows.source]]
    words = mixed(slot, arrows.source - arrows.target, arrows.output) * powers[arrows.source]
    total = np.zeros(len(nesting.parent) + 1, np.uint64)
    np.add.at(total, nesting.innermost_with(arrows.target, arrows.source), words)
    return nesting.added_up(total)[:-1]
