"""A capture as text: selected, folded so that it fits a screen, drawn line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from autograd_inspect.errors import UsageError
from autograd_inspect.model.columns import COLUMNS
from autograd_inspect.model.selection import Selection

if TYPE_CHECKING:  # these import numpy, which is the program's to import first
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.folds import Scene

Style = Literal["rails", "tree"]

#: A picture of fewer rows than this says nothing, however small the screen.
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Listing:
    """How to write a graph as text; see `api.show`."""

    selection: Selection = field(default_factory=Selection)
    rows: int | None = 60
    style: Style = "rails"
    columns: tuple[str, ...] | None = None
    width: int | None = None
    color: bool = False
    ascii: bool = False

    def __post_init__(self) -> None:
        if unknown := [name for name in self.columns or () if name not in COLUMNS]:
            raise UsageError(f"no column {unknown[0]}", hint=f"known: {', '.join(COLUMNS)}")
        if self.style == "tree" and self.selection.is_partial:
            raise UsageError("a tree has every node in it", hint="rails can show some of them")


def lines_of(capture: Capture, listing: Listing) -> Iterator[str]:
    """Give the graph line by line, and below it the summary."""
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.renderers import summary

    trouble = first_nonfinite(capture.graph)
    facts = summary.render(capture, trouble, color=listing.color, ascii=listing.ascii).splitlines()
    room = None
    if listing.rows is not None and not listing.selection.everything:
        room = listing.rows - len(facts) - 1
    yield from (_tree if listing.style == "tree" else _rails)(capture, listing, room)
    yield ""
    yield from facts


def scene_of(capture: Capture, selection: Selection, rows: int) -> Scene:
    """Choose what is seen: every node, views too, where they fit, else folds."""
    import numpy as np

    from autograd_inspect.drawings import kept_by, opening_of
    from autograd_inspect.model.tables import Kind
    from autograd_inspect.passes.folding.build import fold
    from autograd_inspect.passes.folding.opening import choose
    from autograd_inspect.passes.folding.unfolding import unfold
    from autograd_inspect.passes.railing.lines import fits_in
    from autograd_inspect.passes.railing.whole import whole

    kept = kept_by(capture, selection)
    operations = capture.graph.node_table.kind != Kind.LEAF
    few = np.count_nonzero(operations if kept is None else operations & kept) <= rows
    if selection.everything:
        return whole(fold(capture, views=True, kept=kept))
    if few and selection.depth is None:
        every = whole(fold(capture, views=True, kept=kept))
        if fits_in(every, rows):
            return every
    folds = fold(capture, views=selection.views, kept=kept)
    if len(folds) <= rows and selection.depth is None and fits_in(plain := whole(folds), rows):
        return plain
    chosen = opening_of(
        folds, selection, lambda some: choose(some, lambda scene: fits_in(scene, rows))
    )
    return unfold(folds, chosen)


def _rails(capture: Capture, listing: Listing, room: int | None) -> Iterator[str]:
    from autograd_inspect.passes.heat import gradient_norms
    from autograd_inspect.passes.railing.build import rails
    from autograd_inspect.renderers import rails as text

    selection = listing.selection
    rows = max((room or 0) - text.HEADING_LINES, _FEWEST)
    scene = scene_of(capture, selection, rows)
    # What somebody has opened on purpose is not left out again.
    cut = room is not None and selection.depth is None and not selection.expand
    look = text.Look(
        listing.width, listing.color, listing.ascii, listing.columns, gradient_norms(capture)
    )
    yield from text.draw_lines(rails(scene, rows if cut else None), look)
    if omitted := scene.folds.omitted:
        yield f"{omitted:,} of {len(capture.graph):,} nodes are left out, as asked"


def _tree(capture: Capture, listing: Listing, room: int | None) -> Iterator[str]:
    from autograd_inspect.passes.outline import outline
    from autograd_inspect.renderers import tree

    rows = None if room is None else max(room, _FEWEST)
    yield from tree.draw_lines(
        outline(capture, rows=rows, depth=listing.selection.depth),
        width=listing.width,
        color=listing.color,
        ascii=listing.ascii,
    )
