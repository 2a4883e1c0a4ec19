"""Running a program with somebody watching who needs torch, which is the program's to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_inspect.run.imports import our_imports, when_imported
from autograd_inspect.run.loader import Run, execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from autograd_inspect.run.target import Target


def run_under(
    target: Target,
    begin: Callable[[], Callable[[], None]],
    *,
    before: Callable[[], None] = lambda: None,
) -> Run:
    """Run a program; `begin` once it has imported torch, and call what that gave when it is over.

    `before` is called when all is ready for the program.
    """
    ends: list[Callable[[], None]] = []

    def imported(_: ModuleType) -> None:
        with our_imports():
            ends.append(begin())

    forget = when_imported("torch", imported)
    try:
        return execute(target, before=before)
    finally:
        forget()
        for end in ends:
            end()
