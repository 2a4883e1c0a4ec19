"""`agi gradcheck`: hold backwards against numeric derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from autograd_inspect.cli.functions import Applying, run_and_apply
from autograd_inspect.cli.source import Running, read_target, run_and_use
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, say

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.gradcheck import Gradcheck
    from autograd_inspect.tracing.function import Application
    from autograd_inspect.tracing.session import Outcome


@dataclass(frozen=True, slots=True)
class Checking:
    """What to check, and how to print it, as the options say.

    second  whether to check second derivatives; None for where there is reason to
    fast    look at fewer elements
    """

    printing: Printing
    second: bool | None = None
    fast: bool = False
    eps: float | None = None
    atol: float | None = None
    rtol: float | None = None


def gradcheck(
    text: str,
    arguments: Sequence[str],
    running: Running,
    checking: Checking,
    inputs: str | None,
) -> int:
    """Check a function of a program at given inputs, or without any what its backward runs."""
    if inputs is not None:
        return check_named_function(text, arguments, running, checking, inputs)
    return check_functions_of_run(text, arguments, running, checking)


def check_named_function(
    text: str, arguments: Sequence[str], running: Running, checking: Checking, inputs: str
) -> int:
    """Check the derivatives of the function that the target's expression names."""
    target = read_target(text, arguments, running)
    results = checking.printing.begin()

    def use(found: Application, _: ModuleType) -> Callable[[], int]:
        from autograd_inspect.autograd.function_checks import Settings, check_function
        from autograd_inspect.model.gradcheck import Gradcheck

        chosen = found.choose(())
        held = {**found.inputs, **found.parameters}
        fixed = {name: tensor for name, tensor in held.items() if name not in chosen}
        second = checking.second is not False
        settings = Settings(checking.eps, checking.atol, checking.rtol, second, checking.fast)
        check = check_function(found.name, found, chosen, fixed, settings)
        return lambda: _print(Gradcheck((check,)), None, checking.printing, results)

    return run_and_apply(Applying(target, inputs), use)


def check_functions_of_run(
    text: str, arguments: Sequence[str], running: Running, checking: Checking
) -> int:
    """Check the custom Functions in the graph that a program's backward goes through."""
    target = read_target(text, arguments, running)
    results = checking.printing.begin()
    start = Path.cwd()
    outcomes: list[Outcome] = []

    def use(capture: Capture, _: Path | None) -> int:
        from autograd_inspect.autograd.custom_checks import check_calls
        from autograd_inspect.model.gradcheck import Gradcheck
        from autograd_inspect.model.places import Place
        from autograd_inspect.run.files import relative_to

        custom = outcomes[0].custom
        if custom is None:
            return 0
        checks = check_calls(custom.found, capture.graph, second=checking.second)
        ignored = tuple(
            (f"{kind.__name__}.backward", Place(relative_to(file, start), line, "backward"))
            for kind, (file, line) in custom.ignored.items()
        )
        found = Gradcheck(tuple(checks), len(custom.found), custom.dropped, ignored)
        return _print(found, capture, checking.printing, results)

    return run_and_use(target, running, use=use, see=outcomes.append)


def _print(found: Gradcheck, capture: Capture | None, printing: Printing, results: Results) -> int:
    from autograd_inspect.renderers import gradcheck as drawn

    forms = Forms(
        json=lambda: drawn.to_json(found, capture),
        csv=lambda: drawn.csv(found),
        tabbed=lambda: drawn.tabbed(found),
        fitted=lambda terminal: drawn.render(
            found, width=terminal.width, color=terminal.color, ascii=terminal.ascii
        ),
    )
    printing.finish(results, forms)
    for remark in drawn.remarks(found):
        say(f"agi: {remark}")
    return 1 if found.findings else 0
