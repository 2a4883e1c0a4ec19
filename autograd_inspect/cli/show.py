"""`agi show`: print the graph of a capture as a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.terminal import Results, Terminal

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


def print_graph(capture: Capture, showing: Showing) -> None:
    """Print the tree, and what there is to know of it in a few lines."""
    from autograd_inspect.api import show

    terminal = Terminal.of_stdout(
        color=showing.color, ascii_only=showing.ascii, width=showing.width
    )
    text = show(
        capture,
        rows=None if showing.everything else terminal.rows,
        depth=showing.depth,
        width=terminal.width if terminal.interactive or showing.width else None,
        color=terminal.color,
        ascii=terminal.ascii,
    )
    Results().write(text)
