"""`agi path`: print the paths from a tensor to the root."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, Terminal, say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.paths import Paths

#: Nobody reads a longer path on a terminal; its middle is counted.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """Which tensor's paths to print, and how, as the options say."""

    tensor: str
    top: int
    json: bool = False
    ascii: bool = False
    width: int | None = None
    color: Color = Color.AUTO


def path(source: str | None, arguments: Sequence[str], running: Running, asking: Asking) -> int:
    """Print the paths; that there is none is an answer too, with status 0."""
    results = Results()
    if asking.json:
        results.set_apart()

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.api import paths
        from autograd_inspect.model.gradients import Reason

        found = paths(capture, asking.tensor, top=asking.top)
        results.write(_written(found, asking))
        if found.reason == Reason.NOT_REACHED.text and not found.cuts:
            _say_how_to_find_the_cut(capture)
        return 0

    return obtain(source, arguments, running, use)


def _written(paths: Paths, asking: Asking) -> str:
    from autograd_inspect.renderers import path as drawn

    if asking.json:
        return drawn.to_json(paths)
    terminal = Terminal.of_stdout(color=asking.color, ascii_only=asking.ascii, width=asking.width)
    if paths.node is not None and not (terminal.interactive or asking.width):
        say(drawn.headline(paths))
        return drawn.tabbed(paths)
    return drawn.render(
        paths, width=terminal.width, most=_MOST, color=terminal.color, ascii=terminal.ascii
    )


def _say_how_to_find_the_cut(capture: Capture) -> None:
    from autograd_inspect.model.capture import Recording

    if capture.about.recording is Recording.FULL:
        say("agi: no place was recorded that cut it off")
    else:
        say(f"agi: cuts were not recorded: agi trace --watch {capture.about.source}")
