"""`agi grads`: print what arrived at the leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, Terminal, check_free, say, write_file
from autograd_inspect.errors import UsageError

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture


@dataclass(frozen=True, slots=True)
class Reading:
    """Which rows to print, and how, as the options say."""

    sort: str | None = None
    top: int | None = None
    fail_on: str = ""
    json: bool = False
    csv: bool = False
    output: Path | None = None
    force: bool = False
    ascii: bool = False
    width: int | None = None
    color: Color = Color.AUTO

    @property
    def to_stdout(self) -> bool:
        """Whether the table is printed rather than written to a file."""
        return self.output is None or str(self.output) == "-"

    @property
    def format(self) -> str:
        """`json`, `csv`, or nothing for the table that people read."""
        extension = "" if self.to_stdout else str(self.output).rpartition(".")[2].lower()
        by_flag = [name for name, asked in (("json", self.json), ("csv", self.csv)) if asked]
        if len(by_flag) > 1:
            raise UsageError("--json and --csv: one at a time")
        return by_flag[0] if by_flag else extension if extension in {"json", "csv"} else ""


def grads(source: str | None, arguments: Sequence[str], running: Running, reading: Reading) -> int:
    """Print the table; the status is 1 where `--fail-on` found something."""
    from autograd_inspect.analyses.words import check_words

    # Wrong words are found before a program runs for an hour.
    check_words(reading.sort, _conditions(reading))
    results = Results()
    if reading.to_stdout and reading.format:
        results.set_apart()
    elif reading.output is not None and not reading.to_stdout:
        check_free(reading.output, force=reading.force)

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.analyses.gradients import failures as find_failures

        text = _table(capture, reading)
        if reading.to_stdout:
            results.write(text)
        elif reading.output is not None:
            write_file(text, reading.output, force=reading.force)
            say(f"wrote {reading.output}")
        failures = find_failures(capture, _conditions(reading))
        for failure in failures:
            say(f"agi: {failure}")
        return 1 if failures else 0

    return obtain(source, arguments, running, use)


def _table(capture: Capture, reading: Reading) -> str:
    from autograd_inspect.analyses.gradients import select, totals
    from autograd_inspect.renderers import table

    rows = select(capture, sort=reading.sort, top=reading.top)
    if reading.format == "json":
        return table.to_json(capture, rows)
    if reading.format == "csv":
        return table.csv(rows)
    terminal = Terminal.of_stdout(
        color=reading.color, ascii_only=reading.ascii, width=reading.width
    )
    if not (terminal.interactive or reading.width) or not reading.to_stdout:
        return table.tabbed(rows)
    look = {"color": terminal.color, "ascii": terminal.ascii}
    sums = table.footer(totals(list(capture.gradients)), shown=len(rows), **look)
    return f"{table.render(rows, width=terminal.width, **look)}\n{sums}"


def _conditions(reading: Reading) -> list[str]:
    return [word.strip() for word in reading.fail_on.split(",") if word.strip()]
