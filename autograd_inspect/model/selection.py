"""What of a graph to show, as the user asked for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a graph to show, and how far to open it; by default what fits a screen.

    depth       open modules so many levels deep; None lets the screen decide
    expand      paths of modules to open whatever fits
    everything  a box or row for every node, nothing folded
    views       views have boxes or rows of their own where something is folded
    focus       only what is near this tensor, node or module
    radius      how many edges away that may be
    path        only what lies on the paths from this tensor to a root
    include     only what fits one of these patterns; see `passes.selecting.matching`
    exclude     without what fits one of these
    limit       only so many nodes, nearest to the roots
    """

    depth: int | None = None
    expand: tuple[str, ...] = ()
    everything: bool = False
    views: bool = False
    focus: str = ""
    radius: int = 2
    path: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether nodes may be left out."""
        asked = (self.focus, self.path, self.include, self.exclude, self.limit is not None)
        return any(asked)
