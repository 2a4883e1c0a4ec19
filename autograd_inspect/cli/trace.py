"""`agi trace`: run a program, save a capture, print its graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.show import Showing, print_graph
from autograd_inspect.cli.source import Keeping, Running, read_target, run_and_use
from autograd_inspect.cli.terminal import say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture


def trace(
    text: str,
    arguments: Sequence[str],
    running: Running,
    showing: Showing,
    keeping: Keeping,
) -> int:
    """Run the program under watch; its stdout comes first, then the graph."""
    showing.listing()  # before the program runs
    target = read_target(text, arguments, running)
    start = Path.cwd()

    def use(capture: Capture, path: Path | None) -> int:
        if not showing.quiet:
            print_graph(capture, showing)
            if path is not None:
                say(f"saved {_near(path, start)}")
                say("next: agi grads · agi render --svg · agi show --all")
        return 0

    return run_and_use(target, running, use=use, keeping=keeping)


def _near(path: Path, start: Path) -> Path:
    return path.relative_to(start) if path.is_relative_to(start) else path
