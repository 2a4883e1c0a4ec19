"""The verbs as functions: what `agi` does on the command line, in a program or a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from autograd_inspect import store
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture as PlainCapture
from autograd_inspect.model.diff import Diff
from autograd_inspect.model.gradients import Gradient
from autograd_inspect.model.memory import Memory
from autograd_inspect.model.paths import Paths
from autograd_inspect.model.selection import Selection
from autograd_inspect.model.times import Times
from autograd_inspect.model.why import Why

if TYPE_CHECKING:
    import torch
    from graphviz import Source

#: Paths given in full unless asked otherwise.
DEFAULT_TOP = 3

Grouping = Literal["op", "module", "line", "tensor"]
Style = Literal["rails", "tree"]
Coloring = Literal["kind", "grad", "memory", "time"]
PlotFormat = Literal["png", "svg", "pdf"]
TimeGrouping = Literal["op", "module", "line", "node"]
PictureFormat = Literal["svg", "dot", "png", "pdf", "html", "mermaid", "json"]


class Capture(PlainCapture):
    """A capture that shows itself: as text where it is printed, as a picture in a notebook."""

    def show(
        self, *, rows: int | None = 60, depth: int | None = None, style: Style = "rails"
    ) -> str:
        """Give the graph as text; see `show`."""
        return show(self, rows=rows, depth=depth, style=style)

    def render(self, format: PictureFormat = "svg", **options: Any) -> str | bytes:  # noqa: A002 - named as the option
        """Draw the graph; see `render`."""
        picture: str | bytes = render(self, format, **options)
        return picture

    def digraph(self, *, limit: int | None = None, reverse: bool = False) -> Source:
        """Give the graph to the `graphviz` package, as torchviz does; see `render`."""
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
        """Show the graph where rich prints it."""
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
    selection: Selection | None = None,
    style: Style = "rails",
    columns: Sequence[str] | None = None,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Give the graph as text, root first, and a summary below it.

    What does not fit into so many `rows` is folded; with None every node has a line. `selection`
    says what to show instead, and `depth` alone how many levels of modules to open. `columns` are
    some of shape, saved, grad, time and line. The `style` "tree" folds nothing and draws no rails;
    `depth` then leaves out what is more than so many edges from a root. Raises UsageError where a
    name is unknown or nothing is left to show.
    """
    from autograd_inspect.listings import Listing, lines_of

    chosen = selection or Selection(depth=depth, everything=rows is None)
    asked = None if columns is None else tuple(columns)
    listing = Listing(chosen, rows, style, asked, width, color, ascii)
    return "".join(f"{line}\n" for line in lines_of(capture, listing))


def render(
    capture: PlainCapture,
    format: PictureFormat = "svg",  # noqa: A002 - named as the option
    *,
    selection: Selection | None = None,
    limit: int | None = None,
    reverse: bool = False,
    engine: Literal["own", "dot"] = "own",
    scale: float = 2.0,
    color: Coloring = "kind",
    link: str = "",
    tell: Callable[[str], None] | None = None,
) -> str | bytes:
    """Draw the graph; gives bytes for png and pdf, text for the rest.

    What does not fit a screen is folded: modules, what repeats, chains. `selection` says what to
    show instead, and how far to open it; `limit` draws that many nodes, nearest to the root, and
    folds nothing. JSON always has all. Arrows run from the leaves to the root as the data did, the
    other way with `reverse`. `engine` "dot" lays svg, png and pdf out with Graphviz and falls back
    to ours where that fails; `tell` hears of it. `scale` is pixels per unit of a png; `color` what
    the boxes of svg, png, pdf and html are coloured by; `link` is where boxes of an svg lead to, a
    URL with {path} and {line} in it. Raises UsageError where the capture has no such figures or the
    selection is empty, and RenderError where something needed is not installed.
    """
    from autograd_inspect.drawings import Drawing, draw
    from autograd_inspect.renderers import jsonfile

    if color != "kind" and (format in {"dot", "mermaid", "json"} or engine == "dot"):
        raise UsageError(
            f"{format} by {engine} layout: only our own pictures are coloured by figures"
        )
    if format == "json":
        return jsonfile.render(capture)
    chosen = selection or Selection()
    if limit is not None:
        chosen = replace(chosen, limit=limit)
    return draw(capture, format, Drawing(chosen, reverse, color, engine, scale, link), tell)


def render_diff(
    found: Diff,
    format: PictureFormat = "svg",  # noqa: A002 - named as the option
    *,
    limit: int | None = None,
    everything: bool = False,
    reverse: bool = False,
    scale: float = 2.0,
    tell: Callable[[str], None] | None = None,
) -> str | bytes:
    """Draw both graphs of a diff as one; options as in `render`. There is no json of it.

    What did not change is folded until the rest can be read on a screen, or until `limit` nodes are
    left; `everything` folds nothing.
    """
    from autograd_inspect.drawings import Drawing, draw_view, view_of_diff

    if format == "json":
        raise UsageError("a picture of a diff is not written as json")
    split = format not in {"dot", "mermaid"}
    view = view_of_diff(found, limit=limit, everything=everything, split_leaves=split)
    return draw_view(view, format, Drawing(reverse=reverse, scale=scale), tell)


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
