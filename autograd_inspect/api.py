"""The verbs as functions: what `agi` does on the command line, in a program or a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from autograd_inspect import store
from autograd_inspect.errors import RenderError, UsageError
from autograd_inspect.model.capture import Capture as PlainCapture
from autograd_inspect.model.gradients import Gradient
from autograd_inspect.model.memory import Memory
from autograd_inspect.model.paths import Paths
from autograd_inspect.model.times import Times
from autograd_inspect.model.why import Why

if TYPE_CHECKING:
    import torch
    from graphviz import Source

#: Nodes drawn unless asked otherwise: more cannot be read on one screen.
DEFAULT_LIMIT = 300
#: Paths given in full unless asked otherwise.
DEFAULT_TOP = 3

Grouping = Literal["op", "module", "line", "tensor"]
Coloring = Literal["kind", "grad", "memory", "time"]
PlotFormat = Literal["png", "svg", "pdf"]
TimeGrouping = Literal["op", "module", "line", "node"]
PictureFormat = Literal["svg", "dot", "png", "pdf", "html", "mermaid", "json"]


class Capture(PlainCapture):
    """A capture that shows itself: as text where it is printed, as a picture in a notebook."""

    def show(self, *, rows: int | None = 60, depth: int | None = None) -> str:
        """Give the tree as text; see `show`."""
        return show(self, rows=rows, depth=depth)

    def render(self, format: PictureFormat = "svg", **options: Any) -> str | bytes:  # noqa: A002 - named as the option
        """Draw the graph; see `render`."""
        picture: str | bytes = render(self, format, **options)
        return picture

    def digraph(self, *, limit: int | None = DEFAULT_LIMIT, reverse: bool = False) -> Source:
        """Give the graph to the `graphviz` package, as torchviz does."""
        from graphviz import Source

        return Source(str(render(self, "dot", limit=limit, reverse=reverse)))

    def grads(self, *, sort: str | None = None, top: int | None = None) -> list[Gradient]:
        """Give the rows of the gradient table; see `grads`."""
        return grads(self, sort=sort, top=top)

    def plot_grads(self, format: PlotFormat = "png") -> bytes:  # noqa: A002 - named as the option
        """Plot the gradients; see `plot_grads`."""
        return plot_grads(self, format)

    def memory(self, *, by: Grouping = "op", top: int | None = None) -> Memory:
        """Sum up what is held for backward; see `memory`."""
        return memory(self, by=by, top=top)

    def times(self, *, by: TimeGrouping = "op", top: int | None = None) -> Times:
        """Sum up where the time of a step went; see `times`."""
        return times(self, by=by, top=top)

    def paths(self, name: str, *, top: int = DEFAULT_TOP) -> Paths:
        """Find the paths from a tensor to the root; see `paths`."""
        return paths(self, name, top=top)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write an `.agi` file; raises UsageError where it exists and `force` is not given."""
        store.save(self, Path(path), force=force)

    def __str__(self) -> str:
        return show(self)

    def __rich__(self) -> Any:
        """Show the tree where rich prints it."""
        from rich.text import Text

        return Text.from_ansi(show(self, color=True))

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return str(render(self, "svg"))

    def _repr_html_(self) -> str:
        """Show the picture in a notebook that prefers HTML."""
        return f"<div>{self._repr_svg_()}</div>"


def trace(
    value: object,
    model: torch.nn.Module | None = None,
    *,
    backward: bool = False,
    grad_output: torch.Tensor | Sequence[torch.Tensor] | None = None,
    curves: bool = False,
) -> Capture:
    """Capture the graph behind a tensor, or behind all tensors in a nesting of containers.

    Leaves are named as the caller's variables name them; `model` is one more module to name
    parameters by. With `backward` the gradients of the leaves are computed, from `grad_output`
    where a root is not a scalar, without touching any `.grad`; otherwise those that are in `.grad`
    are measured. The graph stays usable. With `curves` the capture keeps the values of
    one-dimensional leaves and of what was made of them, for `plot_grads`. Raises NoGraphError where
    nothing has a `grad_fn`.
    """
    from autograd_inspect.tracing.live import Asked, trace_live

    frame = sys._getframe(1)  # noqa: SLF001 - the caller's variables give the names
    asked = Asked(backward=backward, grad_output=grad_output, curves=curves)
    return _shown(trace_live(value, model, frame, asked))


@contextmanager
def record(*, watch: bool = False) -> Iterator[None]:
    """Record the source line, module call and variable of every node made in a `with` block.

    `trace` finds them in any graph made there, in the block or after it. With `watch`, cuts and
    in-place writes on this thread are recorded, too, which costs more.
    """
    from autograd_inspect.tracing.live import recording

    with recording(watch=watch):
        yield


def load(path: str | os.PathLike[str]) -> Capture:
    """Read an `.agi` file; raises CaptureError where it is missing, damaged or too new."""
    return _shown(store.load(Path(path)))


def show(
    capture: PlainCapture,
    *,
    rows: int | None = 60,
    depth: int | None = None,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Give the graph as a tree, root first, and a summary below it.

    `rows` is the number of lines it is shortened to, None for every node; `depth` leaves out what
    is more than so many edges from a root.
    """
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.passes.outline import outline
    from autograd_inspect.renderers import summary, tree

    trouble = first_nonfinite(capture.graph)
    facts = summary.render(capture, trouble, color=color, ascii=ascii).rstrip()
    room = None if rows is None else max(rows - facts.count("\n") - 2, 5)
    lines = tree.render(
        outline(capture, rows=room, depth=depth), width=width, color=color, ascii=ascii
    )
    return f"{lines.rstrip()}\n\n{facts}\n"


def render(
    capture: PlainCapture,
    format: PictureFormat = "svg",  # noqa: A002 - named as the option
    *,
    limit: int | None = DEFAULT_LIMIT,
    reverse: bool = False,
    engine: Literal["own", "dot"] = "own",
    scale: float = 2.0,
    color: Coloring = "kind",
    tell: Callable[[str], None] | None = None,
) -> str | bytes:
    """Draw the graph; gives bytes for png and pdf, text for the rest.

    `limit` is the number of nodes drawn, nearest to the root, None for all; JSON always has all.
    Arrows run from the leaves to the root as the data did, the other way with `reverse`. `engine`
    "dot" lays svg, png and pdf out with Graphviz and falls back to ours where that fails; `tell`
    hears of it. `scale` is pixels per unit of a png; `color` what the boxes of svg, png, pdf and
    html are coloured by. Raises UsageError where the capture has no such figures, and RenderError
    where something needed is not installed.
    """
    from autograd_inspect.renderers import jsonfile, png

    if color != "kind" and (format in {"dot", "mermaid", "json"} or engine == "dot"):
        raise UsageError(
            f"{format} by {engine} layout: only our own pictures are coloured by figures"
        )
    if format == "json":
        return jsonfile.render(capture)
    if engine == "dot" and format in {"svg", "pdf", "png"}:
        try:
            return _drawn_by_graphviz(capture, format, limit=limit, reverse=reverse)
        except RenderError as error:
            if tell is not None:
                tell(f"{error.message}: drawn by our own layout")
    drawn = _draw(capture, format, limit=limit, reverse=reverse, color=color)
    return png.render(str(drawn), scale=scale, tell=tell) if format == "png" else drawn


def _draw(
    capture: PlainCapture,
    kind: str,
    *,
    limit: int | None,
    reverse: bool,
    color: Coloring,
) -> str | bytes:
    """Draw with our own layout, a png as the svg it is made from."""
    from autograd_inspect.passes.drawing import draw
    from autograd_inspect.renderers import dot, html, mermaid, pdf, svg

    view = draw(capture, limit=limit, split_leaves=kind not in {"dot", "mermaid"}, color=color)
    match kind:
        case "dot":
            return dot.render(view, reverse=reverse)
        case "mermaid":
            return mermaid.render(view, reverse=reverse)
        case "pdf":
            return pdf.render(view, reverse=reverse)
        case "html":
            return html.render(svg.render(view, reverse=reverse))
    return svg.render(view, reverse=reverse)


def _drawn_by_graphviz(
    capture: PlainCapture,
    kind: str,
    *,
    limit: int | None,
    reverse: bool,
) -> str | bytes:
    from autograd_inspect.passes.drawing import draw
    from autograd_inspect.renderers import dot, graphviz_engine

    # One leaf with a thousand users keeps Graphviz busy for minutes.
    view = draw(capture, limit=limit, split_leaves=True)
    drawing = graphviz_engine.render(dot.render(view, reverse=reverse), format=kind)
    return drawing.decode() if kind == "svg" else drawing


def grads(
    capture: PlainCapture, *, sort: str | None = None, top: int | None = None
) -> list[Gradient]:
    """Give the rows of the gradient table, sorted by a column; raises UsageError for no column."""
    from autograd_inspect.analyses.gradients import select

    return select(capture, sort=sort, top=top)


def plot_grads(capture: PlainCapture, format: PlotFormat = "png") -> bytes:  # noqa: A002 - named as the option
    """Plot the gradients from the first layer to the loss, and curves where the capture has any.

    Raises UsageError where there is no gradient to plot, and RenderError where matplotlib is not
    installed.
    """
    from autograd_inspect.analyses.gradient_flow import gradient_flow
    from autograd_inspect.renderers import gradient_plot

    return gradient_plot.render(capture, gradient_flow(capture), format)


def memory(capture: PlainCapture, *, by: Grouping = "op", top: int | None = None) -> Memory:
    """Sum up what is held for backward, with the largest `top` groups, all unless given.

    A storage that several saved tensors share counts once for each in `total`, and once in the
    whole graph in `unique`: where the node that saved it first in forward order belongs. Raises
    UsageError where `by` is no grouping.
    """
    from autograd_inspect.analyses.memory import memory as sum_up

    return sum_up(capture, by=by, top=top)


def times(capture: PlainCapture, *, by: TimeGrouping = "op", top: int | None = None) -> Times:
    """Sum up where the time of a step went, with the slowest `top` groups, all unless given.

    The times of all groups add up; `total` has what lies within a module, line or node, too. Raises
    UsageError where `by` is no grouping, and for a capture that `agi profile` did not take.
    """
    from autograd_inspect.analyses.times import times as sum_up

    return sum_up(capture, by=by, top=top)


def paths(capture: PlainCapture, name: str, *, top: int = DEFAULT_TOP) -> Paths:
    """Find the paths from a tensor to the root: how many, and what all of them run through.

    `name` is that of a leaf, root or variable, the end of such a name, or a node's number (`#12`).
    Up to `top` paths are given in full. Raises UsageError where the name is none or several.
    """
    from autograd_inspect.analyses.paths import find_paths

    return find_paths(capture, name, top=top)


def why(capture: PlainCapture, name: str) -> Why:
    """Say why a tensor has the gradient it has, or none.

    `name` is that of a leaf, root or variable, the end of such a name, or a node's number (`#12`).
    Raises UsageError where it is none or several.
    """
    from autograd_inspect.analyses.why import explain

    return explain(capture, name)


def _shown(capture: PlainCapture) -> Capture:
    return Capture(capture.graph, capture.gradients, capture.about, capture.curves)
