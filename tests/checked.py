"""Checking a program of a test in this process: its facts, and what the rules find in them."""

from __future__ import annotations

import linecache
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

from autograd_inspect.checking.watches import Watches
from autograd_inspect.checks.choice import EVERYTHING, Choice
from autograd_inspect.checks.examine import examine
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding
from autograd_inspect.run.stop import Stop
from autograd_inspect.run.target import Target
from autograd_inspect.tracing.frames import Scope, scopes_of_traceback


def facts_of(program: str, folder: Path, *, steps: int = 20) -> Facts:
    """Run a program under all watches; its own error becomes a fact, one of ours fails the test."""
    path = folder / "program.py"
    text = dedent(program)
    path.write_text(text, "utf-8")
    linecache.checkcache(str(path))
    watches = Watches(Target("path", "program.py"), folder, steps, lambda _: None)
    space: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    error: Exception | None = None
    stopped = False
    end = watches.begin()
    try:
        exec(compile(text, str(path), "exec"), space)
    except Stop:
        stopped = True
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is the program's
        error = raised.with_traceback(raised.__traceback__ and raised.__traceback__.tb_next)
    try:
        died_in = scopes_of_traceback(error.__traceback__) if error else []
        facts = watches.facts([*died_in, Scope(space, space)], error)
    finally:
        end()
    assert watches.trouble is None, watches.trouble
    return replace(facts, stopped=stopped)


def findings_in(
    program: str, folder: Path, *, choice: Choice = EVERYTHING, steps: int = 20
) -> list[Finding]:
    """Give the errors and warnings that the rules find in a program."""
    found = examine(facts_of(program, folder, steps=steps), choice)
    return [one for one in found if one.counts]


def line_of(program: str, part: str) -> int:
    """Give the number of the only line that contains a text."""
    lines = [n for n, line in enumerate(dedent(program).splitlines(), 1) if part in line]
    assert len(lines) == 1, (part, lines)
    return lines[0]
