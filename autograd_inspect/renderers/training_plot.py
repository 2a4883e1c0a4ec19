"""A training as curves over its steps: losses, gradient norms, update-to-weight ratios, graphs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from autograd_inspect.model.training import Step, Training
from autograd_inspect.renderers.plotting import COLORS, label, looks, new_figure, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Curves of one plot: more cannot be told apart.
_CURVES = len(COLORS)

Curve = Callable[[Step], float | None]


def plot(training: Training, kind: str) -> bytes:
    """Draw the curves as one of `plotting.FORMATS`."""
    with looks():
        return written(_figure(training), kind)


def _figure(training: Training) -> Figure:
    figure, (losses, gradients, ratios, graphs) = new_figure(4, height=2.4)
    names = dict.fromkeys(loss.name for step in training.steps for loss in step.losses)
    _draw(losses, training, {name: _loss(name) for name in names}, "loss")
    _draw(gradients, training, _by_group(training, "gradient"), "gradient norm", log=True)
    _draw(ratios, training, _by_group(training, "ratio"), "update / weight", log=True)
    _draw(
        graphs,
        training,
        {"nodes": lambda step: step.nodes, "live graphs of earlier steps": lambda step: step.live},
        "graph",
    )
    graphs.set_xlabel("step")
    return figure


def _draw(
    axes: Axes, training: Training, curves: dict[str, Curve], title: str, *, log: bool = False
) -> None:
    for (name, value), color in zip(list(curves.items())[:_CURVES], COLORS, strict=False):
        points = [(step.number, value(step)) for step in training.steps]
        known = [(at, y) for at, y in points if y is not None and _can_be_drawn(y, log=log)]
        if known:
            # A name that begins with an underscore would be left out, `$` would be typeset.
            marker = "." if len(known) < 60 else ""
            shown = f" {label(name)}"
            axes.plot(*zip(*known, strict=True), label=shown, color=color, marker=marker)
    axes.set_ylabel(title)
    if log and axes.lines:
        axes.set_yscale("log")
    if len(axes.lines) > 1 or (axes.lines and not log):
        # Above the curves, which may run anywhere within.
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.0,
            ncols=3,
            fontsize="small",
        )


def _can_be_drawn(value: float, *, log: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log)


def _loss(name: str) -> Curve:
    return lambda step: next((loss.value for loss in step.losses if loss.name == name), None)


def _by_group(training: Training, what: str) -> dict[str, Curve]:
    """Give the curve of each of the largest groups; of all together where there is but one."""
    rows = sorted(range(len(training.groups)), key=lambda row: -training.groups[row].elements)
    return {
        training.groups[row].name: lambda step, row=row: (  # type: ignore[misc]
            getattr(step.groups[row], what) if row in step.groups else None
        )
        for row in rows[:_CURVES]
    }
