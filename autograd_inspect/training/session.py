"""One run of a program that trains, from target to report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.errors import NoGraphError
from autograd_inspect.run.imports import our_imports
from autograd_inspect.run.loader import Run, is_original_process
from autograd_inspect.run.ranks import current_rank
from autograd_inspect.run.target import Target
from autograd_inspect.run.watching import run_under

if TYPE_CHECKING:  # these import torch, which is the program's to import first
    from autograd_inspect.model.training import Step, Training
    from autograd_inspect.tracing.frames import Scope
    from autograd_inspect.training.ledger import Ledger
    from autograd_inspect.training.observer import Observer


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and what to watch.

    steps         optimizer steps, after which the program is stopped
    keep_running  let it run on instead
    by            what figures are summed up by: `group`, `module` or `parameter`
    shown         EXPRs of values to show before and after
    """

    target: Target
    start: Path
    steps: int = 20
    keep_running: bool = False
    by: str = "group"
    shown: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What came of a run: the report, or why there is none."""

    run: Run
    training: Training | None = None
    trouble: BaseException | None = None


class Session:
    """Runs a program once and watches it train.

    `show` is given each step as it happens, with the names of the optimizers; `tell` what the user
    should know meanwhile.
    """

    def __init__(
        self,
        request: Request,
        show: Callable[[Step, Sequence[str]], None] = lambda *_: None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.request = request
        self._show = show
        self._tell = tell
        self._observer: Observer | None = None
        self._training: Training | None = None

    def run(self) -> Outcome:
        """Run the program, and report what it did."""
        outcome = Outcome(run_under(self.request.target, self._begin))
        with our_imports():
            try:
                self._conclude(outcome)
            except Exception as error:  # noqa: BLE001 - the program's own ending comes first
                outcome.trouble = error
        return outcome

    def _begin(self) -> Callable[[], None]:
        from autograd_inspect.tracing.expression import Expression
        from autograd_inspect.training.ledger import Ledger
        from autograd_inspect.training.observer import Observer, Wish
        from autograd_inspect.training.shown import ShownValues

        request = self.request
        observer = Observer(
            Wish(request.steps, request.keep_running),
            Ledger(request.by, request.start),
            ShownValues([Expression(text) for text in request.shown]),
            show=self._pass_on,
            tell=self._tell,
            conclude=self._report,
        )
        self._observer = observer
        return observer.begin()

    def _pass_on(self, step: Step, ledger: Ledger) -> None:
        if _is_ours_to_tell():
            self._show(step, ledger.optimizers.names)

    def _conclude(self, outcome: Outcome) -> None:
        observer = self._observer
        if observer is None:
            raise NoGraphError("nothing to watch: the program never imported torch")
        outcome.trouble = observer.trouble
        if not _is_ours_to_tell():
            return
        if self._training is None and (observer.ledger.seen or observer.ledger.failed):
            from autograd_inspect.tracing.session import scopes_at_end

            self._report(scopes_at_end(outcome.run))
        outcome.training = self._training
        if self._training is None and outcome.trouble is None:
            outcome.trouble = _no_steps(observer.ledger)

    def _report(self, scopes: Sequence[Scope]) -> None:
        from autograd_inspect.training.report import report

        observer = self._observer
        if observer is not None:
            target = self.request.target
            self._training = replace(
                report(observer.ledger, observer.values, scopes),
                target=target.text,
                arguments=tuple(target.arguments),
                wanted=self.request.steps,
            )


def _is_ours_to_tell() -> bool:
    """Leave it to the process that was started, and in a distributed run to rank 0."""
    return is_original_process() and current_rank() in {None, 0}


def _no_steps(ledger: Ledger) -> NoGraphError:
    if not ledger.calls:
        return NoGraphError("nothing to watch: the program called neither backward nor a step")
    calls = "1 backward call" if ledger.calls == 1 else f"{ledger.calls} backward calls"
    if ledger.skipped:
        why = f"the GradScaler skipped all {ledger.skipped} of them: gradients were not finite"
        return NoGraphError(f"no step to watch in {calls}: {why}")
    return NoGraphError(
        f"no step to watch in {calls}: no optimizer of torch.optim stepped, and nothing else moved "
        "the leaves between two of them"
    )
