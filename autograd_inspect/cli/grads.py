"""`agi grads`: print what arrived at the leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.plots import Plot
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Terminal, say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.gradients import Gradient


@dataclass(frozen=True, slots=True)
class Reading:
    """Which rows to print, and how, as the options say."""

    printing: Printing
    sort: str | None = None
    top: int | None = None
    fail_on: str = ""
    nodes: bool = False
    plot: Plot | None = None


def grads(source: str | None, arguments: Sequence[str], running: Running, reading: Reading) -> int:
    """Print the table; the status is 1 where `--fail-on` found something."""
    from autograd_inspect.analyses.words import check_node_key, check_words

    # Wrong words are found before a program runs for an hour.
    check_words(None if reading.nodes else reading.sort, _conditions(reading))
    if reading.nodes and reading.sort is not None:
        check_node_key(reading.sort)
    if reading.plot is not None:
        reading.plot.check()
    results = reading.printing.begin()

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.analyses.gradients import failures as find_failures
        from autograd_inspect.api import plot_grads

        forms = _forms_of_nodes if reading.nodes else _forms
        reading.printing.finish(results, forms(capture, reading))
        if reading.plot is not None:
            reading.plot.write(lambda kind: plot_grads(capture, kind))
        failures = find_failures(capture, _conditions(reading))
        for failure in failures:
            say(f"agi: {failure}")
        return 1 if failures else 0

    return obtain(source, arguments, running, use)


def _forms(capture: Capture, reading: Reading) -> Forms:
    from autograd_inspect.analyses.gradients import select
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.renderers import table

    rows = select(capture, sort=reading.sort, top=reading.top)
    return Forms(
        json=lambda: table.to_json(capture, rows, first_nonfinite(capture.graph)),
        csv=lambda: table.csv(rows),
        tabbed=lambda: table.tabbed(rows),
        fitted=lambda terminal: _fitted(capture, rows, terminal),
    )


def _forms_of_nodes(capture: Capture, reading: Reading) -> Forms:
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.analyses.passing import passed_nodes
    from autograd_inspect.renderers import passing

    rows = passed_nodes(capture, sort=reading.sort, top=reading.top)

    def fitted(terminal: Terminal) -> str:
        look = {"color": terminal.color, "ascii": terminal.ascii}
        drawn = passing.render(capture, rows, width=terminal.width, **look)
        return drawn + _trouble(capture, terminal)

    return Forms(
        json=lambda: passing.to_json(capture, rows, first_nonfinite(capture.graph)),
        csv=lambda: passing.csv(rows),
        tabbed=lambda: passing.tabbed(rows),
        fitted=fitted,
    )


def _trouble(capture: Capture, terminal: Terminal) -> str:
    """Say where gradients stopped being finite, if they did."""
    from autograd_inspect.analyses.nonfinite import first_nonfinite
    from autograd_inspect.renderers import births

    found = first_nonfinite(capture.graph)
    return births.render(found, color=terminal.color, ascii=terminal.ascii) if found else ""


def _fitted(capture: Capture, rows: Sequence[Gradient], terminal: Terminal) -> str:
    from autograd_inspect.analyses.gradients import totals
    from autograd_inspect.renderers import table

    look = {"color": terminal.color, "ascii": terminal.ascii}
    sums = table.footer(totals(list(capture.gradients)), shown=len(rows), **look)
    drawn = table.render(rows, width=terminal.width, **look)
    return f"{drawn}\n{sums}{_trouble(capture, terminal)}"


def _conditions(reading: Reading) -> list[str]:
    return [word.strip() for word in reading.fail_on.split(",") if word.strip()]
