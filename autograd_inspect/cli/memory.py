"""`agi memory`: print what is held for backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture

#: On a terminal: lines below the table, and rows that there are at least.
_BELOW, _FEWEST = 8, 10


@dataclass(frozen=True, slots=True)
class Weighing:
    """What to sum up by, how many rows to print, and how, as the options say."""

    printing: Printing
    by: str = "op"
    top: int | None = None

    @property
    def rows(self) -> int | None:
        """How many rows to print: on a terminal as many as fit; None for all."""
        terminal = self.printing.terminal
        if self.top is None and terminal is not None and terminal.interactive:
            return max(terminal.rows - _BELOW, _FEWEST)
        return self.top


def memory(
    source: str | None, arguments: Sequence[str], running: Running, weighing: Weighing
) -> int:
    """Print the table, and what there is to know beside it."""
    results = weighing.printing.begin()

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.analyses.memory import memory as sum_up
        from autograd_inspect.renderers import memory as drawn

        held = sum_up(capture, by=weighing.by, top=weighing.rows)
        forms = Forms(
            json=lambda: drawn.to_json(capture, held),
            csv=lambda: drawn.csv(held),
            tabbed=lambda: drawn.tabbed(held),
            fitted=lambda terminal: drawn.render(
                capture, held, width=terminal.width, color=terminal.color, ascii=terminal.ascii
            ),
        )
        weighing.printing.finish(results, forms)
        for remark in drawn.remarks(held):
            say(f"agi: {remark}")
        return 0

    return obtain(source, arguments, running, use)
