"""Colour by a figure: how hot each node is, on a scale of few steps that a legend can name."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Figures
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Floats, Longs, SavedState
from autograd_inspect.model.view import HOTTEST, NO_HEAT, NOT_FINITE, ZERO, Scale

#: What a picture can be coloured by, and how its figures read.
FIGURES = ("grad", "memory", "time")


def heat_of(capture: Capture, figure: str) -> tuple[Longs, Scale]:
    """Give the level of every node, `NO_HEAT` where nothing is known, and the scale they are on.

    Gradients are on a logarithmic scale, because they vanish and explode by powers of ten; memory
    and time are shares of the largest. Raises UsageError where the capture does not have them.
    """
    match figure:
        case "grad":
            return _levels(capture, figure, gradient_norms(capture))
        case "memory":
            return _levels(capture, figure, _held(capture.graph))
        case "time":
            spent = capture.graph.node_times
            return _levels(capture, figure, np.where(spent < 0, np.nan, spent))
    raise UsageError(f"cannot colour by {figure}", hint=f"known: {', '.join(FIGURES)}")


def heat_of_items(capture: Capture, figure: str, figures: Figures) -> tuple[Longs, Scale]:
    """Give the level of each thing that has these figures, like `heat_of`."""
    match figure:
        case "grad":
            return _levels(capture, figure, figures.norm)
        case "memory":
            return _levels(capture, figure, figures.saved.astype(np.float64))
        case "time":
            return _levels(capture, figure, np.where(figures.spent < 0, np.nan, figures.spent))
    raise UsageError(f"cannot colour by {figure}", hint=f"known: {', '.join(FIGURES)}")


def _levels(capture: Capture, figure: str, values: Floats) -> tuple[Longs, Scale]:
    """Put values on the scale of their kind: norms, bytes or nanoseconds."""
    if figure == "grad":
        _require(values, capture, "gradients", "agi trace")
        return _by_decades(values)
    if figure == "memory":
        return _by_share(values, "held for backward", bytes_text)
    _require(values, capture, "times", "agi profile")
    profiled = capture.about.profile is not None
    title = "time, forward and backward" if profiled else "time in backward, under probes"
    return _by_share(values / 1e3, title, _time_text)


def gradient_norms(capture: Capture) -> Floats:
    """Give the norm of what arrived at each node, at all its outputs together; NaN for unknown.

    Where nothing was probed, leaves still have the norm of their gradient. An infinite norm stands
    for a gradient that is not finite.
    """
    graph, table = capture.graph, capture.graph.output_table
    bad = (graph.passed_table.nan > 0) | (graph.passed_table.inf > 0)
    squares = np.append(np.where(bad, np.inf, graph.passed_table.norm**2), np.nan)[table.arrived]
    of_node = np.repeat(np.arange(len(graph)), np.diff(table.start))
    known = ~np.isnan(squares)
    total = np.zeros(len(graph))
    np.add.at(total, of_node[known], squares[known])
    norms = np.full(len(graph), np.nan)
    found = np.unique(of_node[known])
    norms[found] = np.sqrt(total[found])
    rows = capture.gradients.table
    arrived = (rows.node >= 0) & (rows.reason == Reason.ARRIVED)
    own = np.where((rows.nan > 0) | (rows.inf > 0), np.inf, rows.norm)
    norms[rows.node[arrived]] = own[arrived]
    return norms


def _require(values: Floats, capture: Capture, what: str, command: str) -> None:
    if np.isnan(values).all():
        raise UsageError(
            f"this capture has no {what} to colour by",
            hint=f"{command} {capture.about.source} takes one that has",
        )


def _held(graph: Graph) -> Floats:
    """Sum what each node saved; what several hold counts for each, so that all users show."""
    table = graph.saved_table
    held = np.zeros(len(graph))
    rows = table.state != SavedState.FREED
    np.add.at(held, table.node[rows], table.bytes[rows])
    return held


def _by_decades(norms: Floats) -> tuple[Longs, Scale]:
    usual = np.isfinite(norms) & (norms > 0)
    level = np.full(len(norms), NO_HEAT)
    level[norms == 0] = ZERO
    level[np.isinf(norms)] = NOT_FINITE
    if not usual.any():
        return level, Scale("gradient norm", "", "")
    logs = np.log10(norms[usual])
    high = float(logs.max())
    low = min(float(logs.min()), high - 1)  # not less than a decade, for what is nearly equal
    share = (logs - low) / (high - low)
    level[usual] = np.minimum(share * (HOTTEST + 1), HOTTEST).astype(np.int64)
    return level, Scale("gradient norm", f"{10**low:.2g}", f"{10**high:.2g}")


def _by_share(values: Floats, title: str, text: Callable[[float], str]) -> tuple[Longs, Scale]:
    most = float(np.nanmax(values, initial=0.0))
    level = np.full(len(values), NO_HEAT)
    known = ~np.isnan(values)
    share = values[known] / most if most else np.zeros(known.sum())
    level[known] = np.minimum(np.ceil(share * HOTTEST), HOTTEST).astype(np.int64)
    return level, Scale(title, "0", text(most))


def bytes_text(count: float) -> str:
    """Write a number of bytes: `4 KiB`."""
    unit = min(int(math.log(count, 1024)), 4) if count >= 1 else 0
    return f"{count / 1024**unit:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"


def _time_text(microseconds: float) -> str:
    return f"{microseconds:.3g} us" if microseconds < 1e3 else f"{microseconds / 1e3:.3g} ms"
