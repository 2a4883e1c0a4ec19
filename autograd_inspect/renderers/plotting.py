"""What all plots have in common: matplotlib without a screen, its looks, and its bytes.

matplotlib is an extra: it is imported here alone, and late.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from autograd_inspect.errors import RenderError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What a plot can be written as.
FORMATS = ("png", "svg", "pdf")

#: Apart for colour-blind eyes (Okabe and Ito, 2008), darkest first.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_LOOKS: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.dpi": 150,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "agi",
}


def new_figure(rows: int, *, height: float = 3.0, width: float = 8.0) -> tuple[Figure, list[Axes]]:
    """Make a figure of plots one below the other; `width`, and `height` of each, in inches.

    Raises RenderError where matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RenderError(
            "plots need matplotlib, which is not installed",
            hint="pip install 'autograd-inspect[plot]'",
        ) from error
    with rc_context(_LOOKS):
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    return figure, list(axes)


def written(figure: Figure, kind: str) -> bytes:
    """Write a figure as one of `FORMATS`; the same figure gives the same bytes."""
    from matplotlib import rc_context

    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    stream = io.BytesIO()
    with rc_context(_LOOKS):
        figure.savefig(stream, format=kind, metadata=undated)
    return stream.getvalue()
