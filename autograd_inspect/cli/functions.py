"""Verbs about a function of a program: run the program, then call its function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from autograd_inspect.cli.terminal import say
from autograd_inspect.errors import AgiError, ExpressionError, FunctionError, UsageError
from autograd_inspect.run.target import Target

if TYPE_CHECKING:  # imports torch, which is the program's to import first
    from autograd_inspect.run.loader import Run
    from autograd_inspect.tracing.function import Application


@dataclass(frozen=True, slots=True)
class Applying:
    """A program, whose expression is the function, and the text of the inputs."""

    target: Target
    inputs: str


def run_and_apply(
    applying: Applying, use: Callable[[Application, ModuleType], Callable[[], int]]
) -> int:
    """Run a program to its end, then use its function; gives the exit status.

    `use` calls the function, among the program's own modules, and gives what prints the results,
    among ours. Where the program failed, this ends the process as python would; where the function
    did, its own traceback comes before our line.
    """
    from autograd_inspect.run.imports import our_imports
    from autograd_inspect.run.loader import execute, finish

    function = applying.target.expression
    if function is None:
        raise ExpressionError(
            f"{applying.target.text} names no function", hint="name one: script.py:FUNCTION"
        )
    check_expression("--inputs", applying.inputs)
    run = execute(applying.target)
    if not _may_call(run):
        finish(run)
    with our_imports():
        from autograd_inspect.tracing.function import application_at_end
    try:
        conclude = use(application_at_end(function, applying.inputs, run.main), run.main)
    except AgiError as error:
        return _explain(error)
    except KeyboardInterrupt:
        say("agi: interrupted")
        return 130
    with our_imports():
        status = conclude()
    if run.status or not status:
        finish(run)
    return status


def _may_call(run: Run) -> bool:
    """Tell whether the program got to its end, in the process and the rank that we answer for."""
    from autograd_inspect.run.loader import Interrupted, Raised, is_original_process
    from autograd_inspect.run.ranks import current_rank

    if isinstance(run.ending, Raised | Interrupted):
        say("agi: nothing computed: the program failed before its function was called")
        return False
    return is_original_process() and current_rank() in {None, 0}


def check_expression(option: str, text: str | None) -> None:
    """Raise UsageError where the text of an option is not an expression."""
    if text is None:
        return
    try:
        compile(text.strip(), "<expression>", "eval")
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{option} {text}: not an expression ({error})") from error


def _explain(error: AgiError) -> int:
    """Print what the function raised as python does, then why there is no result."""
    from autograd_inspect.cli import complain
    from autograd_inspect.run.loader import show_failure_of_call

    if isinstance(error, FunctionError) and error.__cause__ is not None:
        show_failure_of_call(error.__cause__)
    return complain(error)
