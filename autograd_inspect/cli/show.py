"""`agi show`: print the graph of a capture as a tree."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.terminal import Results, Terminal
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
    from autograd_inspect.passes.outline import outline
    from autograd_inspect.renderers import summary, tree

    terminal = Terminal.of_stdout(
        color=showing.color, ascii_only=showing.ascii, width=showing.width
    )
    facts = summary.render(capture, color=terminal.color, ascii=terminal.ascii)
    room = None if showing.everything else max(terminal.rows - facts.count("\n") - 1, 5)
    lines = tree.render(
        outline(capture, rows=room, depth=showing.depth),
        width=terminal.width if terminal.interactive or showing.width else None,
        color=terminal.color,
        ascii=terminal.ascii,
    )
    Results().write(f"{lines.rstrip()}\n\n{facts.rstrip()}\n")
