"""`agi train`: run a program, watch it for some optimizer steps, print what they did."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.functions import check_expression
from autograd_inspect.cli.plots import Plot
from autograd_inspect.cli.source import explain, misplaced_options
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, say
from autograd_inspect.errors import UsageError
from autograd_inspect.run.target import Target

if TYPE_CHECKING:
    from autograd_inspect.model.training import Step, Training

#: On a terminal: lines beside the table of steps, and rows that it has at least.
_BESIDE, _FEWEST = 12, 10
#: Seconds between two lines about a program that is still running.
_PACE = 1.0


@dataclass(frozen=True, slots=True)
class Watching:
    """How long to watch, what to sum up and show, and how to print it, as the options say."""

    printing: Printing
    steps: int = 20
    keep_running: bool = False
    by: str = "group"
    shown: Sequence[str] = ()
    plot: Plot | None = None
    quiet: bool = False


@dataclass(slots=True)
class _Progress:
    """Tells of steps while the program runs: whole lines, which no output of it can garble."""

    wanted: int
    is_wanted: bool
    _latest: float = field(default_factory=time.monotonic)

    def show(self, step: Step, optimizers: Sequence[str]) -> None:
        """Tell of a step, unless the line before is too fresh."""
        now = time.monotonic()
        if self.is_wanted and now - self._latest >= _PACE:
            from autograd_inspect.renderers.training import live_line

            self._latest = now
            say(live_line(step, optimizers, self.wanted))


def train(target: Target, watching: Watching) -> int:
    """Run the program under watch; its stdout comes first, then the tables.

    The program's own ending counts: if it failed, this ends the process as python would.
    """
    from autograd_inspect.run.imports import our_imports
    from autograd_inspect.run.loader import finish
    from autograd_inspect.training.session import Request, Session

    if target.expression:
        raise UsageError(
            f"{target.text}: agi train watches every loss", hint="--show EXPR shows a value"
        )
    for text in watching.shown:
        check_expression("--show", text)
    if watching.plot is not None:
        watching.plot.check()
    results = watching.printing.begin()
    progress = _Progress(watching.steps, sys.stderr.isatty() and not watching.quiet)
    request = Request(
        target=target,
        start=Path.cwd(),
        steps=watching.steps,
        keep_running=watching.keep_running,
        by=watching.by,
        shown=tuple(watching.shown),
    )

    def tell(remark: str) -> None:
        say(f"agi: {remark}", quiet=watching.quiet)

    outcome = Session(request, progress.show, tell).run()
    with our_imports():
        for remark in misplaced_options(target):
            tell(remark)
        if outcome.training is not None:
            _print(outcome.training, _from(request.start, watching), results)
        status = explain(outcome.trouble)
    if outcome.run.status or not status:
        finish(outcome.run)
    return status


def _from(start: Path, watching: Watching) -> Watching:
    """Say where to write from wherever the program has gone meanwhile."""
    with suppress(OSError):  # it may have removed the directory it stands in
        if Path.cwd() == start:
            return watching
    printing = watching.printing
    if printing.output is not None and not printing.to_stdout:
        printing = replace(printing, output=start / printing.output)
    return replace(watching, printing=printing)


def _print(training: Training, watching: Watching, results: Results) -> None:
    from autograd_inspect.analyses.training import judged
    from autograd_inspect.renderers import training as drawn

    training = judged(training)
    printing = watching.printing
    rows = None
    if printing.terminal is not None and printing.terminal.interactive:
        rows = max(printing.terminal.rows - _BESIDE, _FEWEST)
    forms = Forms(
        json=lambda: drawn.to_json(training),
        csv=lambda: drawn.csv(training),
        tabbed=lambda: drawn.tabbed(training),
        fitted=lambda terminal: drawn.render(
            training,
            width=terminal.width,
            rows=rows,
            color=terminal.color,
            ascii=terminal.ascii,
        ),
    )
    printing.finish(results, forms)
    if printing.terminal is None and printing.format != "json":
        for sentence in drawn.said(training):
            say(f"agi: {sentence}", quiet=watching.quiet)
    for remark in drawn.remarks(training):
        say(f"agi: {remark}", quiet=watching.quiet)
    if watching.plot is not None:
        from autograd_inspect.renderers.training_plot import plot

        watching.plot.write(lambda kind: plot(training, kind))
