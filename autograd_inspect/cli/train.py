"""`agi train`: run a program, watch it for some optimizer steps, print what they did."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.source import check_expression, explain, misplaced_options
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, check_free, say, write_file
from autograd_inspect.errors import UsageError
from autograd_inspect.run.target import Target

if TYPE_CHECKING:
    from autograd_inspect.model.training import Step, Training

#: On a terminal: lines beside the table of steps, and rows that it has at least.
_BESIDE, _FEWEST = 12, 10
#: Seconds between two lines about a program that is still running.
_PACE = 1.0
_PLOTS = ("png", "svg", "pdf")


@dataclass(frozen=True, slots=True)
class Watching:
    """How long to watch, what to sum up and show, and how to print it, as the options say."""

    printing: Printing
    steps: int = 20
    keep_running: bool = False
    by: str = "group"
    shown: Sequence[str] = ()
    plot: Path | None = None
    quiet: bool = False

    @property
    def plot_kind(self) -> str:
        """What the plot is written as, by the ending of its file's name."""
        kind = str(self.plot).rpartition(".")[2].lower()
        if kind not in _PLOTS:
            raise UsageError(f"--plot {self.plot}: a name that ends in {', '.join(_PLOTS)}")
        return kind


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
    _check_plot(watching)
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
    printing, plot = watching.printing, watching.plot
    if printing.output is not None and not printing.to_stdout:
        printing = replace(printing, output=start / printing.output)
    return replace(watching, printing=printing, plot=start / plot if plot else None)


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

        write_file(plot(training, watching.plot_kind), watching.plot, force=printing.force)
        say(f"wrote {watching.plot}", quiet=watching.quiet)


def _check_plot(watching: Watching) -> None:
    """Find out before the program runs whether a plot can be drawn and written."""
    if watching.plot is None:
        return
    _ = watching.plot_kind
    check_free(watching.plot, force=watching.printing.force)
    if find_spec("matplotlib") is None:
        from autograd_inspect.renderers.plotting import new_figure

        new_figure(1)
