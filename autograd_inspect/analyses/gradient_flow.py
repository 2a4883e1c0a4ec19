"""The gradients of a capture in forward order, as a plot shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_inspect.analyses.gradients import NOT_MEANT_TO
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradient_flow import GradientFlow, Mark, Shares
from autograd_inspect.model.gradients import GradientTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Floats, Ints

Rows = np.ndarray[Any, np.dtype[np.int64]]

#: Where a node stands that the forward is not known to have run.
_NEVER = np.iinfo(np.int64).max


def gradient_flow(capture: Capture) -> GradientFlow:
    """Put the gradients into forward order, those the root does not reach last.

    Raises UsageError where no tensor has a gradient.
    """
    gradients = capture.gradients
    if not (gradients.table.dtype >= 0).any():
        raise UsageError(
            "nothing to plot: no tensor of this capture has a gradient "
            f"(backward: {capture.about.backward.value})",
            hint="agi grads says why of each",
        )
    meant = (gradients.table.dtype >= 0) | ~np.isin(gradients.table.reason, list(NOT_MEANT_TO))
    rows = np.flatnonzero(meant)
    places = _places(capture.graph, gradients.table.node[rows])
    rows = rows[np.argsort(places, kind="stable")]
    return GradientFlow(
        names=tuple(gradients.names[row] for row in gradients.table.name[rows]),
        rms=_rms(gradients.table, rows),
        largest=_largest(gradients.table, rows),
        marks=_marks(gradients.table, rows),
        shares=_shares(gradients.table, rows),
        unreached=int(np.count_nonzero(places == _NEVER)),
        left_out=len(gradients) - len(rows),
    )


def _places(graph: Graph, nodes: Ints) -> Rows:
    """Give what nodes sort by: when a leaf was first used, or another tensor made.

    By number and not by the distance from the root: branches of different lengths stay apart.
    """
    sequence = np.where(graph.node_table.sequence >= 0, graph.node_table.sequence, _NEVER)
    user = np.repeat(np.arange(len(graph)), np.diff(graph.edge_table.start))
    defined = graph.edge_table.target >= 0
    first_use = np.full(len(graph) + 1, _NEVER)
    np.minimum.at(first_use, graph.edge_table.target[defined], sequence[user[defined]])
    made = np.append(sequence, _NEVER)  # the row that -1 finds
    is_leaf = np.append(np.isin(np.arange(len(graph)), graph.leaf_table.node), True)
    places: Rows = np.where(is_leaf, first_use, made)[nodes]
    return places


def _rms(table: GradientTable, rows: Rows) -> Floats:
    norm, count = table.norm[rows], table.count[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        return _sizes(norm / np.sqrt(count))


def _largest(table: GradientTable, rows: Rows) -> Floats:
    return _sizes(np.maximum(np.abs(table.min[rows]), np.abs(table.max[rows])))


def _sizes(values: Floats) -> Floats:
    """Keep what a logarithmic scale has a place for, NaN for the rest."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _marks(table: GradientTable, rows: Rows) -> dict[Mark, Rows]:
    present = table.dtype[rows] >= 0
    count = table.count[rows]
    found = {
        Mark.NAN: present & (table.nan[rows] > 0),
        Mark.INF: present & (table.inf[rows] > 0),
        Mark.ZERO: present & (count > 0) & (table.zeros[rows] == count),
        Mark.NONE: ~present,
    }
    return {mark: np.flatnonzero(where) for mark, where in found.items() if where.any()}


def _shares(table: GradientTable, rows: Rows) -> Shares:
    """Give shares of all elements; a histogram counts a sample of them where there are many."""
    histogram = table.histogram[rows].astype(np.float64)
    zeros, wrong = table.zeros[rows], table.nan[rows] + table.inf[rows]
    count = np.maximum(table.count[rows], 1)
    sampled = np.maximum(histogram.sum(axis=1), 1)
    ordinary = (count - zeros - wrong) / count
    decades = histogram / sampled[:, None] * ordinary[:, None]
    shares: Shares = np.column_stack([zeros / count, decades, wrong / count])
    shares[table.dtype[rows] < 0] = 0.0
    return shares
