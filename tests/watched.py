"""Watching a function of a test train, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograd_inspect.model.training import Step, Training
from autograd_inspect.run.stop import Stop
from autograd_inspect.tracing.expression import Expression
from autograd_inspect.tracing.frames import scopes_from
from autograd_inspect.training.ledger import Ledger
from autograd_inspect.training.observer import Observer, Wish
from autograd_inspect.training.report import report
from autograd_inspect.training.shown import ShownValues


@dataclass
class Watched:
    """What came of it: the report, what was said, and whether the program was stopped."""

    training: Training | None = None
    shown: list[Step] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        assert self.training is not None
        return self.training.steps


def watch(
    program: Callable[[], object],
    *,
    steps: int = 1000,
    by: str = "group",
    shown: tuple[str, ...] = (),
    keep_running: bool = False,
) -> Watched:
    """Run a function under watch; an error of ours fails the test, one of its own is passed on."""
    found = Watched()
    ledger = Ledger(by, Path.cwd())
    values = ShownValues([Expression(text) for text in shown])

    def conclude(scopes: object) -> None:
        found.training = report(ledger, values, scopes)

    observer = Observer(
        Wish(steps, keep_running),
        ledger,
        values,
        show=lambda step, _: found.shown.append(step),
        tell=found.told.append,
        conclude=conclude,
    )
    end = observer.begin()
    try:
        program()
    except Stop:
        found.stopped = True
    finally:
        end()
        if observer.trouble is not None:
            raise observer.trouble
        if found.training is None:
            conclude(scopes_from(sys._getframe()))
    return found
