"""A capture drawn: selected, folded so that it can be read on a screen, laid out, written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from autograd_inspect.errors import RenderError, UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.diff import Diff
from autograd_inspect.model.folds import Folds, Opening, Scene
from autograd_inspect.model.selection import Selection
from autograd_inspect.model.tables import Bools
from autograd_inspect.model.view import View

#: The screen that a picture is to be read on, in pixels, and the size of text that can be.
SCREEN = (1600, 900)
ASPECT = SCREEN[0] / SCREEN[1]
_TEXT, _SMALL_TEXT = 12.0, 9.5
#: More boxes than this are not worth the try: their text would be too small.
_MOST_BOXES = 140
#: A picture of fewer boxes than this says so little that smaller text is better.
_FEW_BOXES = 16

Color = Literal["kind", "grad", "memory", "time"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How to draw: what of the graph, which way arrows run, what colours stand for."""

    selection: Selection = field(default_factory=Selection)
    reverse: bool = False
    color: Color = "kind"
    engine: Literal["own", "dot"] = "own"
    scale: float = 2.0
    link: str = ""


def draw(
    capture: Capture, kind: str, drawing: Drawing, tell: Callable[[str], None] | None = None
) -> str | bytes:
    """Draw a capture as svg, png, pdf, html, dot or mermaid; see `api.render`."""
    if kind == "html":
        return _page(capture, drawing)
    # A leaf with a thousand users keeps any layout busy; as text the graph is as torch has it.
    view = view_of(capture, drawing, split_leaves=kind not in {"dot", "mermaid"})
    if drawing.engine == "dot" and kind in {"svg", "pdf", "png"}:
        try:
            return _by_graphviz(view, kind, reverse=drawing.reverse)
        except RenderError as error:
            if tell is not None:
                tell(f"{error.message}: drawn by our own layout")
    return draw_view(view, kind, drawing, tell)


def draw_view(
    view: View, kind: str, drawing: Drawing, tell: Callable[[str], None] | None = None
) -> str | bytes:
    """Write a view, laid out by us; what `drawing` says of what to show has been seen to."""
    from autograd_inspect.renderers import dot, html, mermaid, pdf, png, svg

    reverse = drawing.reverse
    match kind:
        case "dot":
            return dot.render(view, reverse=reverse)
        case "mermaid":
            return mermaid.render(view, reverse=reverse)
        case "pdf":
            return pdf.render(view, reverse=reverse, aspect=ASPECT)
    drawn = svg.render(view, reverse=reverse, aspect=ASPECT, link=drawing.link)
    match kind:
        case "html":
            return html.still(drawn)
        case "png":
            return png.render(drawn, scale=drawing.scale, tell=tell)
    return drawn


def view_of(capture: Capture, drawing: Drawing, *, split_leaves: bool = True) -> View:
    """Choose what is seen: every node where they are few or all are wanted, else folds.

    Of folds that are still too many to read, because nothing in them is alike, what is nearest to
    the root is seen.
    """
    from autograd_inspect.passes.drawing import draw as draw_nodes
    from autograd_inspect.passes.folding.build import fold
    from autograd_inspect.passes.folding.unfolding import unfold
    from autograd_inspect.passes.picturing import picture

    selection = drawing.selection
    kept = kept_by(capture, selection)
    nodes = partial(draw_nodes, capture, kept=kept, split_leaves=split_leaves, color=drawing.color)
    if selection.everything or selection.limit is not None:
        return nodes(limit=selection.limit)
    as_asked = selection.depth is not None or selection.expand or selection.views
    count = len(capture.graph) if kept is None else int(kept.sum())
    if count <= _MOST_BOXES and not as_asked and _can_be_read(view := nodes(), _TEXT):
        return view
    folds = fold(capture, views=selection.views, kept=kept)
    scene = unfold(folds, opening_of(folds, selection, _Fits(capture).choose))
    if len(scene) > _MOST_BOXES and not as_asked:
        return _largest_that_fits(lambda limit: nodes(limit=limit))
    return picture(scene, capture, color=drawing.color)


def view_of_diff(found: Diff, *, limit: int | None, everything: bool, split_leaves: bool) -> View:
    """Draw what changed, with as much around it as can be read."""
    from autograd_inspect.passes.differing import draw_diff

    if everything or limit is not None:
        return draw_diff(found, limit=None if everything else limit, split_leaves=split_leaves)
    return _largest_that_fits(
        lambda limit: draw_diff(found, limit=limit, split_leaves=split_leaves)
    )


def _largest_that_fits(draw_nodes: Callable[[int], View]) -> View:
    """Draw as many nodes as can be read, or as few as are worth a picture."""
    for limit in (_MOST_BOXES, _MOST_BOXES // 2, _MOST_BOXES // 4, _MOST_BOXES // 8):
        view = draw_nodes(limit)
        if _can_be_read(view, _SMALL_TEXT):
            break
    return view


def _can_be_read(view: View, size: float) -> bool:
    from autograd_inspect.layout.figure import fitted_text

    return fitted_text(view, screen=SCREEN) >= size


def opening_of(folds: Folds, selection: Selection, choose: Callable[[Folds], Opening]) -> Opening:
    """Open what the user asked for; where nothing was, what `choose` says."""
    from autograd_inspect.passes.folding.opening import open_all, open_paths, open_to_depth

    if selection.everything:
        return open_all(folds)
    opening = choose(folds) if selection.depth is None else open_to_depth(folds, selection.depth)
    return open_paths(folds, opening, selection.expand)


def kept_by(capture: Capture, selection: Selection) -> Bools | None:
    """Mark the nodes that a selection keeps, None for all of them; `limit` is left to others.

    Raises UsageError where a name is unknown or nothing is left.
    """
    from autograd_inspect.analyses.tensors import find_nodes
    from autograd_inspect.passes import selecting

    graph = capture.graph
    masks: list[Bools] = []
    if selection.focus:
        nodes = find_nodes(capture, selection.focus)
        masks.append(selecting.near(graph, nodes, selection.radius))
    if selection.path:
        masks.append(selecting.above(graph, find_nodes(capture, selection.path)))
    if selection.include or selection.exclude:
        masks.append(selecting.matching(graph, selection.include, selection.exclude))
    if not masks:
        return None
    kept = masks[0]
    for mask in masks[1:]:
        kept = kept & mask
    if not kept.any():
        raise UsageError("nothing is left to show", hint="ask for less, or for other patterns")
    return kept


@dataclass(frozen=True, slots=True)
class _Fits:
    """Tells whether scenes can be read on the screen."""

    capture: Capture

    def choose(self, folds: Folds) -> Opening:
        """Open as much as can be read; more, in smaller text, where that is next to nothing."""
        from autograd_inspect.passes.folding.opening import choose
        from autograd_inspect.passes.folding.unfolding import unfold

        chosen = choose(folds, lambda scene: self._fits(scene, _TEXT))
        if len(unfold(folds, chosen)) >= _FEW_BOXES:
            return chosen
        return choose(folds, lambda scene: self._fits(scene, _SMALL_TEXT))

    def _fits(self, scene: Scene, size: float) -> bool:
        from autograd_inspect.passes.picturing import picture

        return len(scene) <= _MOST_BOXES and _can_be_read(picture(scene, self.capture), size)


def _page(capture: Capture, drawing: Drawing) -> str:
    """Write the page in which a browser folds and unfolds what is selected of a capture."""
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.passes.folding.build import fold
    from autograd_inspect.passes.folding.opening import every_instance
    from autograd_inspect.passes.heat import heat_of
    from autograd_inspect.passes.nearest import nearest
    from autograd_inspect.renderers import html

    if drawing.color != "kind":
        heat_of(capture, drawing.color)  # raises where the capture has no such figures
    selection = drawing.selection
    kept = kept_by(capture, selection)
    if selection.limit is not None:
        near = nearest(capture.graph, selection.limit)
        kept = near if kept is None else kept & near
    folds = fold(capture, views=selection.views, kept=kept)
    opening = opening_of(folds, selection, _Fits(capture).choose)
    if selection.everything:
        opening = Opening(opening.folds, every_instance(folds))
    trouble = first_nonfinite(capture.graph)
    return html.render(html.Page(capture, folds, opening, trouble, drawing.color, drawing.reverse))


def _by_graphviz(view: View, kind: str, *, reverse: bool) -> str | bytes:
    from autograd_inspect.renderers import dot, graphviz_engine

    drawing = graphviz_engine.render(dot.render(view, reverse=reverse), format=kind)
    return drawing.decode() if kind == "svg" else drawing
