"""`agi show`: print the graph of a capture, or the places that cut it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, Terminal
from autograd_inspect.errors import UsageError
from autograd_inspect.model.columns import COLUMNS

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture


@dataclass(frozen=True, slots=True)
class Showing:
    """How to show a graph, as the options say."""

    everything: bool = False
    depth: int | None = None
    ascii: bool = False
    width: int | None = None
    color: Color = Color.AUTO
    quiet: bool = False
    cuts: bool = False
    json: bool = False
    tree: bool = False
    columns: Sequence[str] | None = None


def listed(columns: str | None) -> tuple[str, ...] | None:
    """Read a list of columns, `shape,saved`; raises UsageError where one is none."""
    if columns is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in columns.split(",") if name.strip()))
    if unknown := [name for name in names if name not in COLUMNS]:
        raise UsageError(f"--columns: no column {unknown[0]}", hint=f"known: {', '.join(COLUMNS)}")
    return names


def show(source: str | None, arguments: Sequence[str], running: Running, showing: Showing) -> int:
    """Print what was asked for: the graph, as text or JSON, or the cuts."""
    results = Results()
    if showing.json:
        results.set_apart()

    def use(capture: Capture, _: Path | None) -> int:
        if showing.cuts:
            results.write(_cuts(capture, showing))
        elif showing.json:
            from autograd_inspect.renderers import jsonfile

            results.write(jsonfile.render(capture))
        else:
            print_graph(capture, showing)
        return 0

    return obtain(source, arguments, running, use)


def print_graph(capture: Capture, showing: Showing) -> None:
    """Print the graph, and what there is to know of it in a few lines."""
    from autograd_inspect.api import show_lines

    terminal = Terminal.of_stdout(
        color=showing.color, ascii_only=showing.ascii, width=showing.width
    )
    lines = show_lines(
        capture,
        rows=None if showing.everything else terminal.rows,
        depth=showing.depth,
        style="tree" if showing.tree else "rails",
        columns=showing.columns,
        width=terminal.width if terminal.interactive or showing.width else None,
        color=terminal.color,
        ascii=terminal.ascii,
    )
    Results().write_lines(lines)


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
