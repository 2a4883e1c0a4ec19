"""One run of a program under every watch, from target to facts."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_inspect.run.imports import our_imports
from autograd_inspect.run.loader import Raised, Run, Stopped, is_original_process
from autograd_inspect.run.ranks import current_rank
from autograd_inspect.run.stop import Stop
from autograd_inspect.run.target import Target
from autograd_inspect.run.watching import run_under

if TYPE_CHECKING:  # these import torch, which is the program's to import first
    from autograd_inspect.checking.watches import Watches
    from autograd_inspect.model.facts import Facts
    from autograd_inspect.tracing.frames import Scope


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and for how long.

    steps       optimizer steps, or backward calls of a program without an optimizer, after which
                the program is stopped
    time_limit  seconds after which a program is stopped that has not called backward
    """

    target: Target
    start: Path
    steps: int = 20
    time_limit: float = 300.0


@dataclass(slots=True)
class Outcome:
    """What came of a run: the facts, and an error of ours on the way."""

    run: Run
    facts: Facts | None = None
    trouble: BaseException | None = None


class Session:
    """Runs a program once and gathers the facts."""

    def __init__(self, request: Request, tell: Callable[[str], None] = lambda _: None) -> None:
        self.request = request
        self._tell = tell
        self._watches: Watches | None = None

    def run(self) -> Outcome:
        """Run the program, to its end or for as long as it has something new to show."""
        alarm = _Alarm(self.request.time_limit, lambda: self._calls == 0)
        alarm.start()
        try:
            run = run_under(self.request.target, self._begin)
        finally:
            alarm.cancel()
        if alarm.rang:
            self._tell(
                f"the program called no backward in {self.request.time_limit:g} s and was stopped; "
                "--time-limit SECONDS gives it longer"
            )
        outcome = Outcome(run)
        with our_imports():
            try:
                self._conclude(outcome)
            except Exception as error:  # noqa: BLE001 - the program's own ending comes first
                outcome.trouble = error
        return outcome

    @property
    def _calls(self) -> int:
        return self._watches.witness.calls if self._watches is not None else 0

    def _begin(self) -> Callable[[], None]:
        from autograd_inspect.checking.watches import Watches

        request = self.request
        self._watches = Watches(request.target, request.start, request.steps, self._tell)
        return self._watches.begin()

    def _conclude(self, outcome: Outcome) -> None:
        from autograd_inspect.model.facts import Facts

        if not (is_original_process() and current_rank() in {None, 0}):
            return
        watches = self._watches
        if watches is None:
            outcome.facts = Facts(str(self.request.start))
            return
        ending = outcome.run.ending
        error = ending.error if isinstance(ending, Raised) else None
        outcome.facts = replace(
            watches.facts(_scopes(outcome.run), error), stopped=isinstance(ending, Stopped)
        )
        outcome.trouble = watches.trouble


def _scopes(run: Run) -> Sequence[Scope]:
    from autograd_inspect.tracing.session import scopes_at_end

    return scopes_at_end(run)


class _Alarm:
    """Stops the program's main thread after a while if there is reason to."""

    def __init__(self, seconds: float, is_due: Callable[[], bool]) -> None:
        self.rang = False
        self._is_due = is_due
        self._main = threading.main_thread().ident
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def start(self) -> None:
        """Begin to count; a time that no clock can measure is none."""
        with suppress(OverflowError):
            self._timer.start()

    def cancel(self) -> None:
        """Stop counting."""
        self._timer.cancel()

    def _ring(self) -> None:
        if self._is_due() and is_original_process():
            self.rang = True
            thread: Any = ctypes.c_ulong(self._main or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Stop))
