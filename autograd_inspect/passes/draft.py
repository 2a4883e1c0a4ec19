"""Rows in reading order, before any are folded or cut."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.outline import Reading
from autograd_inspect.model.tables import Bools, Ints, Longs
from autograd_inspect.passes.absorb import (
    Absorbed,
    inputs_of,
    rows_standing_for,
    sources_of,
    uses_of,
)
from autograd_inspect.passes.likeness import calls_in_common, lines_at, modules_like
from autograd_inspect.passes.order import order_rows


class Draft:
    """The rows of a graph without its absorbed and hidden nodes; `weight` has nodes per row."""

    def __init__(self, graph: Graph, absorbed: Absorbed, hidden: Bools) -> None:
        self.graph = graph
        self._absorbed = absorbed
        without_row = absorbed.leaf | absorbed.view
        self._hidden = hidden & ~without_row
        self.order = order_rows(graph, absorbed.target, hidden | without_row)
        row_of = np.full(len(graph), -1, np.int64)
        row_of[self.order.node] = np.arange(len(self))
        self.weight = rows_standing_for(graph, absorbed, row_of)
        self._ends = np.concatenate([[0], np.cumsum(self.weight)])

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.order.node)

    def nodes_between(self, first: int, stop: int) -> int:
        """Count the nodes that rows `first` up to `stop` stand for."""
        return int(self._ends[stop] - self._ends[first])

    def looks(self) -> Longs:
        """Give each row a symbol for how it looks.

        Names, node numbers, scalars and the numbers in module paths are left out: layers differ in
        them and still look alike.
        """
        graph, node, outputs = self.graph, self.order.node, self.graph.output_table
        first_output, number = outputs.start[node], np.diff(outputs.start)[node]
        spec = np.append(outputs.spec, -1)[first_output]
        columns = (
            np.diff(self.order.indent, prepend=0),
            self.order.opens,
            graph.node_table.op[node],
            graph.node_table.kind[node],
            np.where(number > 0, spec, -1),
            number,
            inputs_of(graph)[node],
            lines_at(graph)[node],
            modules_like(graph)[node],
        )
        mixed = np.zeros(len(node), np.uint64)
        for column in columns:
            # An odd multiplier loses no bits: different rows meet by accident once in 2**64.
            mixed = (mixed + column.astype(np.int64).view(np.uint64)) * np.uint64(
                0x9E3779B97F4A7C15
            )
            mixed ^= mixed >> np.uint64(29)
        symbols: Longs = np.unique(mixed, return_inverse=True)[1].astype(np.int64)
        return symbols

    def good_starts(self) -> Longs:
        """Say how well an instance of a repeat begins at each row, lower is better.

        Best at the outermost indentation, there where the outermost module changes, and there where
        ways meet: the end of a residual block.
        """
        joins = inputs_of(self.graph)[self.order.node] > 1
        common = calls_in_common(self.graph, self.order.node)
        indent = self.order.indent.astype(np.int64) * (common.max(initial=0) + 1)
        scores: Longs = 2 * (indent + common) + ~joins
        return scores

    def repeats(self, first: int, span: int, stop: int) -> Ints:
        """Give the nodes of repeats of `span` rows, one repeat in each row of the answer."""
        return self.order.node[first:stop].reshape(-1, span)

    def reading(self) -> Reading:
        """Say of each node how it is read."""
        graph, order, absorbed = self.graph, self.order, self._absorbed
        target, source = absorbed.target, sources_of(graph)
        printed = np.zeros(len(graph), np.bool_)
        printed[order.node] = True
        used = (target >= 0) & printed[source]
        below = used & (source == order.user[target])
        shared = np.zeros(len(graph), np.bool_)
        shared[target[used & ~below]] = True
        output = np.zeros(len(graph), np.int32)
        other_output = below & (absorbed.output > 0)
        output[target[other_output]] = absorbed.output[other_output]
        weight = np.zeros(len(graph), np.int64)
        weight[order.node] = self.weight
        return Reading(
            user=order.user,
            uses=uses_of(graph),
            output=output,
            shared=shared & printed,
            absorbed=absorbed.leaf | absorbed.view,
            hidden=self._hidden,
            weight=weight,
        )
