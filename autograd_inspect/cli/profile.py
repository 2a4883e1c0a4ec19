"""`agi profile`: time a step of a program, and print where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.source import Running, is_program, obtain
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import check_free, say, write_file
from autograd_inspect.errors import UsageError

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture

#: On a terminal: lines below the table, and rows that there are at least.
_BELOW, _FEWEST = 8, 10


@dataclass(frozen=True, slots=True)
class Timing:
    """What to sum up by, how many rows to print, and what to write besides, as the options say."""

    printing: Printing
    by: str = "op"
    top: int | None = None
    speedscope: Path | None = None

    @property
    def rows(self) -> int | None:
        """How many rows to print: on a terminal as many as fit; None for all."""
        terminal = self.printing.terminal
        if self.top is None and terminal is not None and terminal.interactive:
            return max(terminal.rows - _BELOW, _FEWEST)
        return self.top


def profile(source: str | None, arguments: Sequence[str], running: Running, timing: Timing) -> int:
    """Print the table, and what there is to know beside it."""
    files = [file for file in (timing.speedscope, running.chrome) if file is not None]
    for file in files:
        check_free(file, force=timing.printing.force)
    if running.chrome is not None and not is_program(source, running):
        raise UsageError(
            "--chrome: torch writes its trace of a program that runs; a capture holds none",
            hint="--speedscope makes a flame graph of a capture's times",
        )
    results = timing.printing.begin()
    speedscope = timing.speedscope.absolute() if timing.speedscope else None

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.analyses.times import times as sum_up
        from autograd_inspect.renderers import times as drawn

        summed = sum_up(capture, by=timing.by, top=timing.rows)
        forms = Forms(
            json=lambda: drawn.to_json(capture, summed),
            csv=lambda: drawn.csv(summed),
            tabbed=lambda: drawn.tabbed(summed),
            fitted=lambda terminal: drawn.render(
                capture, summed, width=terminal.width, color=terminal.color, ascii=terminal.ascii
            ),
        )
        timing.printing.finish(results, forms)
        if speedscope is not None:
            _write_flame_graph(capture, speedscope, force=timing.printing.force)
            say(f"wrote {timing.speedscope}: open it at https://www.speedscope.app")
        if running.chrome is not None:
            say(f"wrote {running.chrome}: open it at https://ui.perfetto.dev")
        for remark in drawn.remarks(summed):
            say(f"agi: {remark}")
        return 0

    return obtain(source, arguments, running, use)


def _write_flame_graph(capture: Capture, path: Path, *, force: bool) -> None:
    from autograd_inspect.analyses.flame import stacks
    from autograd_inspect.renderers import speedscope

    write_file(speedscope.render(capture, stacks(capture)), path, force=force)
