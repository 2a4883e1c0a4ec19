"""`agi show`: print the graph of a capture, or the places that cut it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, Terminal
from autograd_inspect.errors import RenderError, UsageError
from autograd_inspect.listings import Listing
from autograd_inspect.model.selection import Selection

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture


@dataclass(frozen=True, slots=True)
class Showing:
    """How to show a graph, as the options say."""

    selection: Selection = field(default_factory=Selection)
    tree: bool = False
    columns: tuple[str, ...] | None = None
    ascii: bool = False
    width: int | None = None
    color: Color = Color.AUTO
    quiet: bool = False
    cuts: bool = False
    json: bool = False
    tui: bool = False

    def listing(self, terminal: Terminal | None = None) -> Listing:
        """Give the text wanted, as it fits a terminal; raises UsageError where there is none."""
        listing = Listing(
            selection=self.selection,
            style="tree" if self.tree else "rails",
            columns=self.columns,
        )
        if terminal is None:
            return listing
        return replace(
            listing,
            rows=terminal.rows,
            width=terminal.width if terminal.interactive or self.width else None,
            color=terminal.color,
            ascii=terminal.ascii,
        )


def listed(columns: str | None) -> tuple[str, ...] | None:
    """Read a list of columns: `shape,saved`."""
    if columns is None:
        return None
    return tuple(dict.fromkeys(name.strip() for name in columns.split(",") if name.strip()))


def show(source: str | None, arguments: Sequence[str], running: Running, showing: Showing) -> int:
    """Print what was asked for: the graph, as text or JSON, or the cuts."""
    results = Results()
    showing.listing()  # before any program runs
    if showing.tui:
        _check_tui()
    if showing.json:
        results.set_apart()

    def use(capture: Capture, _: Path | None) -> int:
        if showing.cuts:
            results.write(_cuts(capture, showing))
        elif showing.tui:
            from autograd_inspect.tui.app import browse

            browse(capture, ascii=showing.ascii)
        elif showing.json:
            from autograd_inspect.renderers import jsonfile

            results.write(jsonfile.render(capture))
        else:
            print_graph(capture, showing)
        return 0

    return obtain(source, arguments, running, use)


def _check_tui() -> None:
    """Raise where nobody could walk through a graph: before any program runs."""
    if importlib.util.find_spec("textual") is None:
        raise RenderError("--tui needs textual", hint="pip install 'autograd-inspect[tui]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--tui needs a terminal", hint="without it the graph is printed")


def print_graph(capture: Capture, showing: Showing) -> None:
    """Print the graph, and what there is to know of it in a few lines."""
    from autograd_inspect.listings import lines_of

    terminal = Terminal.of_stdout(
        color=showing.color, ascii_only=showing.ascii, width=showing.width
    )
    Results().write_lines(lines_of(capture, showing.listing(terminal)))


def _cuts(capture: Capture, showing: Showing) -> str:
    """Write the cuts; raises UsageError where nobody looked for any."""
    from autograd_inspect.model.capture import Recording
    from autograd_inspect.renderers import cuts

    about = capture.about
    if about.recording is not Recording.FULL:
        raise UsageError(
            "cuts were not recorded", hint=f"record them: agi trace --watch {about.source}"
        )
    if showing.json:
        return cuts.to_json(capture)
    terminal = Terminal.of_stdout(
        color=showing.color, ascii_only=showing.ascii, width=showing.width
    )
    if not (terminal.interactive or showing.width):
        return cuts.tabbed(capture)
    return cuts.render(capture, color=terminal.color, ascii=terminal.ascii)
