"""Plots of gradients: their sizes from the first layer to the loss, their decades, and curves.

What a colour says, a marker or a line style says as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.curves import Chart, Curve
from autograd_inspect.model.gradient_flow import GradientFlow, Mark
from autograd_inspect.model.gradients import HISTOGRAM_DECADES
from autograd_inspect.renderers.plotting import COLORS, label, looks, new_figure, written
from autograd_inspect.renderers.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Names or groups of names that there is room for below an axis.
_MOST_TICKS = 48
#: Fewer groups than this say too little of where one is.
_FEWEST_GROUPS = 5
#: Points up to which each has a marker on a line.
_MARKED = 150
#: Columns of the strip; where there are more gradients, neighbours share one.
_MOST_COLUMNS = 1500
_LONGEST_NAME = 36
#: Where the scale of sizes ends: far from where matplotlib's ticks overflow, and from float32.
_MOST_DECADES = 150
#: Decades up to which each is named.
_FEW_DECADES = 8
_LINES = ("-", "--", ":", "-.")

#: Where each mark stands in the height of the plot, and its sign; a row may have
#: the first two at once.
_SIGNS: dict[Mark, tuple[float, dict[str, Any]]] = {
    Mark.NAN: (0.97, {"marker": "X", "color": "#b00020"}),
    Mark.INF: (0.91, {"marker": "^", "color": "#b00020"}),
    Mark.ZERO: (0.03, {"marker": "v", "color": "#000000"}),
    Mark.NONE: (0.03, {"marker": "o", "color": "#000000", "markerfacecolor": "none"}),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbours on an axis that go by one name: rows `first` to `last`, the last one included."""

    name: str
    first: int
    last: int

    @property
    def middle(self) -> float:
        """Where its name stands."""
        return (self.first + self.last) / 2


def render(capture: Capture, flow: GradientFlow, kind: str) -> bytes:
    """Draw a figure and write it as png, svg or pdf."""
    return written(draw(capture, flow), kind)


def draw(capture: Capture, flow: GradientFlow) -> Figure:
    """Draw the curves of a capture, then the flow of its gradients where that says more."""
    charts = capture.curves.charts
    drawn = {chart.leaf.name for chart in charts}
    flows = bool(flow.marks) or not drawn.issuperset(flow.names)
    panels = [panel for chart in charts for panel in _panels_of(chart)]
    groups = groups_of(flow.names, _MOST_TICKS) if flows else []
    longest = max((min(len(group.name), _LONGEST_NAME) for group in groups), default=0)
    rows = len(panels) + 2 * flows
    with looks():
        figure, axes = new_figure(
            rows, height=2.7 + longest * 0.075 / rows, width=min(max(8.0, 2 + len(flow) / 5), 14.0)
        )
        for (chart, curves), ax in zip(panels, axes, strict=False):
            _draw_curves(ax, chart, curves)
        if flows:
            _draw_flow(axes[-2], flow)
            _draw_strip(axes[-1], flow)
            _share_axis(axes[-2], axes[-1], groups, flow)
        left_out = flow.left_out if flows else 0
        figure.suptitle(_title(capture, left_out), fontsize="medium", x=0.01, ha="left")
    return figure


def _title(capture: Capture, left_out: int) -> str:
    title = f"gradients of {label(capture.about.source)}"
    if left_out:
        title += f" (without {counted(left_out, 'tensor')} not meant to have one)"
    return title


def _panels_of(chart: Chart) -> Iterator[tuple[Chart, Sequence[Curve]]]:
    if chart.results:
        yield chart, chart.results
    yield chart, [chart.gradient]


def _draw_curves(ax: Axes, chart: Chart, curves: Sequence[Curve]) -> None:
    """Draw curves against their leaf; a line only where the leaf's values come in order."""
    steps = np.diff(chart.leaf.values)
    in_order = bool((steps >= 0).all() or (steps <= 0).all())
    few = len(chart.leaf.values) <= _MARKED
    for number, curve in enumerate(curves):
        ax.plot(
            chart.leaf.values,
            curve.values,
            color=COLORS[number],
            linestyle=_LINES[number] if in_order else "none",
            marker="osD"[number] if few or not in_order else "none",
            markersize=3,
        )
    finite = np.isfinite([chart.leaf.values, *(curve.values for curve in curves)]).all(axis=0)
    lost = len(chart.leaf.values) - int(np.count_nonzero(finite))
    if lost:
        ax.set_title(f"{lost:,} of {len(chart.leaf.values):,} points NaN or infinite", loc="left")
    ax.set_xlabel(label(chart.leaf.name))
    if len(curves) == 1:
        ax.set_ylabel(label(curves[0].name))
    else:
        _put_legend(ax, [curve.name for curve in curves])


def _draw_flow(ax: Axes, flow: GradientFlow) -> None:
    rows = np.arange(len(flow))
    round_, square = "os" if len(flow) <= _MARKED else ("", "")
    ax.plot(rows, flow.largest, color=COLORS[1], linestyle="--", marker=square, markersize=3.5)
    ax.plot(rows, flow.rms, color=COLORS[0], linestyle="-", marker=round_, markersize=3.5)
    names = ["largest |g|", "rms of g"]
    for mark, where in flow.marks.items():
        height, sign = _SIGNS[mark]
        ax.plot(
            where,
            np.full(len(where), height),
            linestyle="none",
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            markersize=6,
            **sign,
        )
        names.append(f"{mark.value} ({len(where):,})")
    _set_scale(ax, flow)
    ax.set_ylabel("size of the gradient")
    _put_legend(ax, names)


def _set_scale(ax: Axes, flow: GradientFlow) -> None:
    """Span whole decades, with room for marks at the ends."""
    sizes = np.concatenate([flow.rms, flow.largest])
    ax.set_yscale("log")
    if np.isnan(sizes).all():  # nothing but marks, and no scale to draw them on
        ax.set_yticks([])
        return
    low, high = np.log10([np.nanmin(sizes), np.nanmax(sizes)])
    bottom = min(max(np.floor(low - 0.2), -_MOST_DECADES), _MOST_DECADES - 1)
    top = min(max(np.ceil(high + 0.2), bottom + 1), _MOST_DECADES)
    ax.set_ylim(10.0**bottom, 10.0**top)


def _draw_strip(ax: Axes, flow: GradientFlow) -> None:
    """Draw the share of elements in each decade, darker for more."""
    shares = flow.shares
    per_column = -(-len(flow) // _MOST_COLUMNS)
    starts = np.arange(0, len(flow), per_column)
    shares = np.maximum.reduceat(shares, starts, axis=0)
    wrong = bool(shares[:, -1].any())
    first, last = _decades_shown(shares)
    shown = np.column_stack([shares[:, :1], shares[:, first:last], shares[:, -1:]][: 2 + wrong])
    image = ax.imshow(
        np.ma.masked_equal(shown.T, 0.0),
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap="viridis_r",
        vmin=0.0,
        vmax=1.0,
        extent=(-0.5, len(starts) * per_column - 0.5, -0.5, shown.shape[1] - 0.5),
    )
    ticks = _decade_ticks(first, last, wrong=wrong)
    ax.set_yticks(list(ticks), list(ticks.values()))
    ax.set_ylabel("|g|, share of elements")
    ax.grid(visible=False)
    ax.get_figure(root=True).colorbar(image, ax=ax, pad=0.01)  # type: ignore[union-attr]


def _decade_ticks(first: int, last: int, *, wrong: bool) -> dict[float, str]:
    """Name the rows of the strip that are no decades, and the numbers that bound those that are.

    The outermost decades hold what lies beyond them, too, so nothing bounds them there.
    """
    rows = last - first
    step = 1 if rows <= _FEW_DECADES else 2
    ends = rows > _FEW_DECADES  # then there is no room for a number next to a name
    bounds = range(max(first + ends, 2), min(last + 1 - (ends and wrong), len(HISTOGRAM_DECADES)))
    ticks = {0.0: "zero"}
    for row in bounds[::step]:
        ticks[row - first + 0.5] = f"1e{HISTOGRAM_DECADES[row - 1]}"
    if wrong:
        ticks[rows + 1.0] = "NaN, Inf"
    return ticks


def _decades_shown(shares: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Give the columns from the first decade that anything is in to behind the last."""
    used = np.flatnonzero(shares[:, 1:-1].any(axis=0)) + 1
    return (int(used[0]), int(used[-1]) + 1) if len(used) else (12, 13)


def _share_axis(upper: Axes, lower: Axes, groups: Sequence[Group], flow: GradientFlow) -> None:
    """Name the rows below the lower plot, and shade every other group in the upper one."""
    count = len(flow)
    upper.sharex(lower)
    upper.tick_params(labelbottom=False)
    lower.set_xlim(-0.6, count - 0.4)
    named = _apart(groups, count / _MOST_TICKS / 2)
    lower.set_xticks(
        [group.middle for group in named],
        [label(group.name, longest=_LONGEST_NAME) for group in named],
        rotation=90,
        fontsize="small",
    )
    if any(group.first < group.last for group in groups):
        upper.grid(visible=False, axis="x")
        for group in groups[1::2]:
            upper.axvspan(group.first - 0.5, group.last + 0.5, color="#000000", alpha=0.06, lw=0)
    order = "forward order: first layers left, loss right"
    if flow.unreached:
        order += "; behind the line: not reached"
        for ax in (upper, lower):
            ax.axvline(count - flow.unreached - 0.5, color="#000000", linestyle=":", linewidth=1)
    lower.set_xlabel(order)


def _put_legend(ax: Axes, names: Sequence[str]) -> None:
    """Name the lines above the plot; texts come last, as names with `_` in front would be lost."""
    handles = ax.get_lines()
    legend = ax.legend(
        handles,
        ["-"] * len(handles),
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
        ncols=len(handles),
        fontsize="small",
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(label(name, longest=28))


def groups_of(names: Sequence[str], most: int) -> list[Group]:
    """Group neighbours so that there are few enough to name: by module, as far in as fits.

    Where that leaves only a few groups, or too many still, every so-manieth row keeps its name.
    """
    if len(names) <= most:
        return [Group(name, row, row) for row, name in enumerate(names)]
    paths = [name.split(".") for name in names]
    for parts in range(max(map(len, paths)) - 1, 0, -1):
        heads = [".".join(path[: min(parts, max(len(path) - 1, 1))]) for path in paths]
        groups = _runs(heads)
        if _FEWEST_GROUPS <= len(groups) <= most:
            return groups
    return [Group(names[row], row, row) for row in range(0, len(names), -(-len(names) // most))]


def _apart(groups: Sequence[Group], least: float) -> list[Group]:
    """Put the names of neighbours whose middles are too close to each other into one."""
    found: list[Group] = []
    for group in groups:
        if found and group.middle - found[-1].middle < least:
            before = found.pop()
            first = before.name.partition(" … ")[0]
            found.append(Group(f"{first} … {group.name}", before.first, group.last))
        else:
            found.append(group)
    return found


def _runs(names: Sequence[str]) -> list[Group]:
    """Join equal neighbours."""
    starts = [row for row in range(len(names)) if not row or names[row] != names[row - 1]]
    ends = [*starts[1:], len(names)]
    return [Group(names[row], row, end - 1) for row, end in zip(starts, ends, strict=True)]
