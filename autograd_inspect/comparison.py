"""What changed between two captures, as a function: what `agi diff` does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from autograd_inspect.api import PictureFormat, render_diff
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.diff import TOLERANCE, USUAL_ASPECTS
from autograd_inspect.model.diff import Diff as PlainDiff


class Diff(PlainDiff):
    """What changed between two captures; shows itself as text where it is printed."""

    def show(self, *, width: int | None = None, color: bool = False, fold: bool = True) -> str:
        """Give the differences as text; without `fold` every node and gradient in its own line."""
        from autograd_inspect.analyses.changes import summarise
        from autograd_inspect.renderers import diff as drawn

        fit = drawn.Fit(width=width) if fold else drawn.Fit(None, None, width)
        return drawn.render(self, summarise(self, fold=fold), fit, color=color)

    def render(self, format: PictureFormat = "svg", **options: Any) -> str | bytes:  # noqa: A002 - named as the option
        """Draw both graphs as one; see `render_diff`."""
        picture: str | bytes = render_diff(self, format, **options)
        return picture

    def __str__(self) -> str:
        return self.show()

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return str(render_diff(self, "svg"))


def diff(
    before: Capture,
    after: Capture,
    *,
    what: Collection[str] = USUAL_ASPECTS,
    tolerance: float = TOLERANCE,
) -> Diff:
    """Find what changed from one capture to another: added, removed and changed nodes.

    `what` is which of structure, shapes, saved, grads, times and lines to compare. Gradient norms
    that differ by up to `tolerance`, as a share of the larger, count as equal. The result is false
    where nothing differs. Raises UsageError for another word or an impossible tolerance.
    """
    from autograd_inspect.analyses.diff import diff as compare

    found = compare(before, after, what=what, tolerance=tolerance)
    return Diff(**{field.name: getattr(found, field.name) for field in fields(found)})
