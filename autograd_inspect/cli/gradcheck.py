"""`agi gradcheck`: hold backwards against numeric derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.source import Running, read_target, run_and_use
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.gradcheck import Gradcheck
    from autograd_inspect.tracing.session import Outcome


@dataclass(frozen=True, slots=True)
class Checking:
    """What to check, and how to print it, as the options say.

    second  whether to check second derivatives; None to decide by the program
    """

    printing: Printing
    second: bool | None = None


def check_functions_of_run(
    text: str, arguments: Sequence[str], running: Running, checking: Checking
) -> int:
    """Check the custom Functions in the graph that a program's backward goes through."""
    target = read_target(text, arguments, running)
    results = checking.printing.begin()
    outcomes: list[Outcome] = []

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.autograd.custom_checks import check_calls
        from autograd_inspect.model.gradcheck import Gradcheck

        custom = outcomes[0].custom
        if custom is None:
            return 0
        checks = check_calls(custom.found, capture.graph, second=bool(checking.second))
        found = Gradcheck(tuple(checks), len(custom.found), custom.dropped)
        return _print(found, capture, checking.printing, results)

    return run_and_use(target, running, use=use, see=outcomes.append)


def _print(found: Gradcheck, capture: Capture | None, printing: Printing, results: Results) -> int:
    from autograd_inspect.renderers import gradcheck as drawn

    forms = Forms(
        json=lambda: drawn.to_json(found, capture),
        csv=lambda: drawn.csv(found),
        tabbed=lambda: drawn.tabbed(found),
        fitted=lambda terminal: drawn.render(
            found, width=terminal.width, color=terminal.color, ascii=terminal.ascii
        ),
    )
    printing.finish(results, forms)
    for remark in drawn.remarks(found):
        say(f"agi: {remark}")
    return 1 if found.findings else 0
