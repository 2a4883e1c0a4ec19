"""`agi why`: say why a tensor has no gradient, a zero one, or the one it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.path import Asking
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, Terminal

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.why import Why

#: Nobody reads a longer path on a terminal; its middle is counted.
_MOST = 40


def why(source: str | None, arguments: Sequence[str], running: Running, asking: Asking) -> int:
    """Print the answer; that there is no gradient is one too, with status 0."""
    results = Results()
    if asking.json:
        results.set_apart()

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.api import why as explain

        results.write(_written(explain(capture, asking.tensor), asking))
        return 0

    return obtain(source, arguments, running, use)


def _written(answer: Why, asking: Asking) -> str:
    """Write the answer, then the way of the gradient or the cuts."""
    from autograd_inspect.renderers import path as way
    from autograd_inspect.renderers import why as drawn

    if asking.json:
        return drawn.to_json(answer)
    terminal = Terminal.of_stdout(color=asking.color, ascii_only=asking.ascii, width=asking.width)
    said = [drawn.headline(answer, ascii=terminal.ascii)]
    said += [f"  {line}" for line in drawn.sentences(answer, ascii=terminal.ascii)]
    below = way.render(
        answer.paths, width=terminal.width, most=_MOST, color=terminal.color, ascii=terminal.ascii
    )
    return "".join(f"{line}\n" for line in said) + below.partition("\n")[2]
