"""How the verbs that answer with a table print it: which form, and where to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograd_inspect.cli.options import Color
from autograd_inspect.cli.terminal import Results, Terminal, check_free, say, write_file
from autograd_inspect.errors import UsageError


@dataclass(frozen=True, slots=True)
class Printing:
    """The form that a table is wanted in, and its place, as the options say."""

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

    @property
    def terminal(self) -> Terminal | None:
        """The terminal to fit the table to; None where values are to be exact and complete."""
        if self.format or not self.to_stdout:
            return None
        terminal = Terminal.of_stdout(color=self.color, ascii_only=self.ascii, width=self.width)
        return terminal if terminal.interactive or self.width else None

    def begin(self) -> Results:
        """Make sure, before any program runs, that the table can be written where it is to go."""
        results = Results()
        if self.to_stdout and self.format:
            results.set_apart()
        elif self.output is not None and not self.to_stdout:
            check_free(self.output, force=self.force)
        return results

    def finish(self, results: Results, forms: Forms) -> None:
        """Write the table in the form wanted."""
        terminal = self.terminal
        if terminal is not None:
            text = forms.fitted(terminal)
        else:
            text = {"json": forms.json, "csv": forms.csv, "": forms.tabbed}[self.format]()
        if self.to_stdout:
            results.write(text)
        elif self.output is not None:
            write_file(text, self.output, force=self.force)
            say(f"wrote {self.output}")


@dataclass(frozen=True, slots=True)
class Forms:
    """The texts of one table, each made when it is asked for."""

    json: Callable[[], str]
    csv: Callable[[], str]
    tabbed: Callable[[], str]
    fitted: Callable[[Terminal], str]
