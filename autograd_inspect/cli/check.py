"""`agi check`: run a program and say what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.checks.choice import EVERYTHING, Choice
from autograd_inspect.cli.options import CheckFormat
from autograd_inspect.cli.source import explain, misplaced_options
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, Terminal, say
from autograd_inspect.errors import NoGraphError, UsageError
from autograd_inspect.run.target import Target

if TYPE_CHECKING:
    from autograd_inspect.model.facts import Facts
    from autograd_inspect.model.findings import Finding


@dataclass(frozen=True, slots=True)
class Checking:
    """What to look for, for how long, and how to print it, as the options say."""

    printing: Printing
    format: CheckFormat = CheckFormat.TEXT
    choice: Choice = EVERYTHING
    exit_zero: bool = False
    verbose: bool = False
    quiet: bool = False
    steps: int = 20
    time_limit: float = 300.0

    @property
    def is_for_machines(self) -> bool:
        """Whether somebody reads it who wants nothing else on the stream."""
        return bool(self.printing.format) or self.format is not CheckFormat.TEXT


def check(target: Target, checking: Checking) -> int:
    """Run the program, then print what is wrong with it.

    The program's own ending counts: if it failed, this ends the process as python would.
    """
    from autograd_inspect.checking.session import Request, Session
    from autograd_inspect.run.imports import our_imports
    from autograd_inspect.run.loader import finish

    if target.expression:
        raise UsageError(f"{target.text}: agi check looks at every loss")
    checking.choice.check()
    printing = checking.printing
    results = printing.begin()
    if printing.to_stdout and not printing.format and checking.is_for_machines:
        results.set_apart()
    start = Path.cwd()
    if printing.output is not None and not printing.to_stdout:
        printing = replace(printing, output=printing.output.absolute())

    def tell(remark: str) -> None:
        say(f"agi: {remark}", quiet=checking.quiet)

    request = Request(target, start, checking.steps, checking.time_limit)
    outcome = Session(request, tell).run()
    status = 0
    with our_imports():
        from autograd_inspect.checks.examine import examine

        for remark in misplaced_options(target):
            tell(remark)
        if outcome.facts is not None:
            found = examine(outcome.facts, checking.choice)
            if found or outcome.facts.captures or outcome.facts.failure or printing.format:
                _print(found, outcome.facts, replace(checking, printing=printing), results)
            elif outcome.run.status == 0 and outcome.trouble is None:
                outcome.trouble = NoGraphError("nothing to check: the program called no backward")
            status = 0 if checking.exit_zero else int(any(one.counts for one in found))
        trouble = explain(outcome.trouble)
    if outcome.run.status or not (trouble or status):
        finish(outcome.run)
    return trouble or status


def _print(
    findings: tuple[Finding, ...], facts: Facts, checking: Checking, results: Results
) -> None:
    from autograd_inspect._version import __version__
    from autograd_inspect.renderers import findings as drawn
    from autograd_inspect.renderers import findings_files as files

    printing = checking.printing
    counted = [one for one in findings if checking.verbose or one.counts]

    def fitted(terminal: Terminal | None) -> str:
        if terminal is None:
            look = drawn.Look(ascii=printing.ascii, verbose=checking.verbose)
        else:
            look = drawn.Look(terminal.width, terminal.color, terminal.ascii, checking.verbose)
        return drawn.render(findings, look)

    def text() -> str:
        if checking.format is CheckFormat.GITHUB:
            return files.github(counted)
        if checking.format is CheckFormat.SARIF:
            return files.sarif(counted, __version__)
        return fitted(None)

    def as_json() -> str:
        return files.to_json(counted, _about(facts))

    forms = Forms(
        json=as_json,
        csv=text,
        tabbed=text,
        fitted=lambda terminal: text() if checking.is_for_machines else fitted(terminal),
    )
    printing.finish(results, forms)
    if checking.is_for_machines and not checking.quiet:
        say(f"agi: {drawn.summary(findings, verbose=checking.verbose)}")


def _about(facts: Facts) -> dict[str, object]:
    return {
        "captures": len(facts.captures),
        "steps": facts.training.seen if facts.training is not None else 0,
        "stopped": facts.stopped,
        "failure": f"{facts.failure.type}: {facts.failure.message}" if facts.failure else None,
    }
