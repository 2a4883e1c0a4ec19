"""Options that choose what of a graph is shown, and how far it is opened."""

from __future__ import annotations

from typing import Annotated

from autograd_inspect.cli.options import Option
from autograd_inspect.model.selection import Selection

#: How many edges away from what it is set on a focus reaches.
RADIUS = 2

Tree = Annotated[
    bool,
    Option("--tree", help="Print a line per node, not folded, with numbers for what is shared."),
]
Tui = Annotated[
    bool, Option("--tui", help="Walk through the graph: a tree that opens, search, details.")
]
Columns = Annotated[
    str | None,
    Option(
        "--columns", help="Figures to print: some of shape,saved,grad,time,line.", metavar="LIST"
    ),
]
Limit = Annotated[
    int | None,
    Option("--limit", min=1, help="Only N nodes, nearest to the root; fold none.", metavar="N"),
]
Levels = Annotated[
    int | None, Option("--depth", min=0, help="Open modules N levels deep.", metavar="N")
]
Expand = Annotated[
    list[str] | None,
    Option("--expand", help="Open this module too; may be given again.", metavar="PATH"),
]
Views = Annotated[bool, Option("--views", help="Views have places of their own.")]
Focus = Annotated[
    str | None,
    Option("--focus", help="Only what is near a tensor, node (#12) or module.", metavar="NAME"),
]
Radius = Annotated[
    int, Option("--radius", min=0, help="How many edges away --focus reaches.", metavar="N")
]
PathFrom = Annotated[
    str | None,
    Option("--path", help="Only the paths from this tensor to the root.", metavar="NAME"),
]
Include = Annotated[
    list[str] | None,
    Option("--include", help="Only operations, modules, leaves like this.", metavar="PATTERN"),
]
Exclude = Annotated[
    list[str] | None,
    Option("--exclude", help="No operations, modules, leaves like this.", metavar="PATTERN"),
]


def selection(
    *,
    everything: bool,
    depth: int | None,
    expand: list[str] | None,
    views: bool,
    focus: str | None,
    radius: int,
    path: str | None,
    include: list[str] | None,
    exclude: list[str] | None,
    limit: int | None = None,
) -> Selection:
    """Put the options together; what shows everything knows no limit."""
    return Selection(
        depth=depth,
        expand=tuple(expand or ()),
        everything=everything,
        views=views,
        focus=focus or "",
        radius=radius,
        path=path or "",
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        limit=None if everything else limit,
    )
