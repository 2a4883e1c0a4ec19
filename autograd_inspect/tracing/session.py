"""One run of a program under watch, from target to captures."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_inspect.errors import AgiError, ExpressionError, NoGraphError
from autograd_inspect.model.levels import Probe
from autograd_inspect.run.imports import our_imports
from autograd_inspect.run.loader import Interrupted, Raised, Run, is_original_process
from autograd_inspect.run.ranks import current_rank
from autograd_inspect.run.target import Target
from autograd_inspect.run.watching import run_under

if TYPE_CHECKING:  # these import torch or numpy, which are the program's to import first
    import torch

    from autograd_inspect.model.capture import About, Capture
    from autograd_inspect.recording.custom import CustomCalls
    from autograd_inspect.recording.recorder import Recorder
    from autograd_inspect.tracing.frames import Scope
    from autograd_inspect.tracing.profiling import Profiling
    from autograd_inspect.tracing.watch import Watch


@dataclass(frozen=True, slots=True)
class Request:
    """What to run and what to capture; see `tracing.watch.Wish` for the fields they share.

    save_on_signal  number of the signal that asks for a capture, 0 for none
    all_ranks       capture in every process of a distributed run, not in rank 0 alone
    record          remember lines and modules while the program runs
    watch           remember cuts and in-place writes as well
    probe           how closely to watch backward; None where the size of the graph is to decide
    profile         time the step that ends with the captured backward
    all_threads     in doing so look at every thread, and not at memory
    chrome          where to write torch's own trace of it; None for nowhere
    custom          remember what custom Functions were called with
    """

    target: Target
    start: Path
    step: int = 1
    keep_running: bool = False
    retain: tuple[str, ...] = ()
    backward: bool = True
    grad_output: str = ""
    save_on_signal: int = 0
    all_ranks: bool = False
    record: bool = True
    watch: bool = False
    probe: Probe | None = None
    curves: bool = False
    profile: bool = False
    all_threads: bool = False
    chrome: Path | None = None
    custom: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    captures  taken, in order
    trouble   why there is none, or an error of ours on the way
    custom    the calls of custom Functions in the captured graph, where they were asked for
    """

    run: Run
    captures: list[Capture] = field(default_factory=list)
    trouble: BaseException | None = None
    custom: CustomCalls | None = None


class Session:
    """Runs a program once and captures what was asked for."""

    def __init__(
        self,
        request: Request,
        take: Callable[[Capture], None],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.request = request
        self._tell = tell
        self._take = take
        self._captures: list[Capture] = []
        self._watch: Watch | None = None
        self._recorder: Recorder | None = None
        self._profiling: Profiling | None = None
        self._untimed: Capture | None = None

    def run(self) -> Outcome:
        """Run the program, then capture what no backward call of it was the occasion for."""
        try:
            run = run_under(self.request.target, self._begin_watch, before=self._listen)
            outcome = Outcome(run, self._captures)
            with our_imports():
                try:
                    self._conclude(outcome)
                except Exception as error:  # noqa: BLE001 - the program's own ending comes first
                    outcome.trouble = error
            outcome.custom = self._recorder.custom if self._recorder else None
        finally:
            if self._recorder is not None:
                self._recorder.stop()
            if self._profiling is not None:
                self._profiling.profiler.stop()
        return outcome

    def _begin_watch(self) -> Callable[[], None]:
        """Stand in front of the engine, which torch has by now; gives what undoes it."""
        from autograd_inspect.autograd._torch import patch_engine
        from autograd_inspect.autograd.profiler import Profiler
        from autograd_inspect.recording.recorder import Recorder
        from autograd_inspect.tracing.expression import Expression
        from autograd_inspect.tracing.moment import Scene
        from autograd_inspect.tracing.profiling import Profiling
        from autograd_inspect.tracing.watch import Watch, Wish

        request = self.request
        wish = Wish(
            expression=_parsed(Expression, request.target.expression),
            step=request.step,
            keep_running=request.keep_running,
            retain=request.retain,
            backward=request.backward,
            grad_output=_parsed(Expression, request.grad_output),
            on_signal=bool(request.save_on_signal),
            curves=request.curves,
        )
        recorder = None
        if request.record:
            recorder = Recorder(watch=request.watch, custom=request.custom)
        profiling = None
        if request.profile:
            profiler = Profiler(all_threads=request.all_threads)
            profiling = Profiling(request.step, request.chrome, profiler)
        scene = Scene(request.start, recorder, self._probe(), profiling)
        watch = Watch(wish, scene, self._about(), self._keep, self._tell)
        self._watch, self._recorder, self._profiling = watch, recorder, profiling
        if recorder is None:
            look_away = patch_engine(watch.in_front_of)
        else:
            look_away = patch_engine(lambda e: watch.in_front_of(recorder.around(e)))
            recorder.start()
        if profiling is not None:
            profiling.profiler.prepare()
            profiling.begin_after(matches=0)
        return look_away

    def _probe(self) -> Probe | None:
        """Give the level of probing: lower where something else is the point of the run."""
        if self.request.probe is not None:
            return self.request.probe
        return Probe.LEAVES if self.request.profile or self.request.custom else None

    def _listen(self) -> None:
        """Let the signal that the user chose ask for a capture; an earlier handler still runs."""
        if not self.request.save_on_signal:
            return
        before = signal.getsignal(self.request.save_on_signal)

        def arm(number: int, frame: Any) -> None:
            if self._watch is not None:
                self._watch.armed = True
            if callable(before):
                before(number, frame)

        signal.signal(self.request.save_on_signal, arm)

    def _conclude(self, outcome: Outcome) -> None:
        watch = self._watch
        if watch is None:
            outcome.trouble = NoGraphError("nothing to trace: the program never imported torch")
            return
        outcome.trouble = watch.trouble
        later = watch.capture_with_later_cuts()
        if later is not None:
            self._keep(later)
        if self._untimed is not None:  # a profile of the program's own is over now
            self._keep(self._untimed)
        if watch.taken or watch.stopped or watch.trouble:
            return
        if self.request.save_on_signal:
            raise NoGraphError("nothing captured: no backward call came after such a signal")
        if self.request.step > 1:
            calls = "1 such backward call" if watch.matches == 1 else f"{watch.matches} such calls"
            raise NoGraphError(f"--step {self.request.step}: the program made {calls}")
        try:
            self._capture_at_end(watch, outcome)
        except (ExpressionError, NoGraphError) as error:
            lost = list(getattr(error, "tensors", ()))
            error.hint = self._keep_cuts(watch, outcome, error, lost) or error.hint
            if lost or not isinstance(outcome.run.ending, Raised | Interrupted):
                raise
            name = self.request.target.expression
            raise NoGraphError(
                "nothing captured: the program was over before there was "
                + (f"a tensor {name!r}" if name else "a backward call")
            ) from error

    def _capture_at_end(self, watch: Watch, outcome: Outcome) -> None:
        from autograd_inspect.tracing.ending import capture_at_end

        scopes = scopes_at_end(outcome.run)
        moment, retained = capture_at_end(
            watch.wish, scopes, watch.about, watch.scene, watch.graphless
        )
        moment.arrivals.retained = retained.close()
        self._keep(moment.develop())

    def _keep_cuts(
        self, watch: Watch, outcome: Outcome, error: AgiError, lost: Sequence[torch.Tensor]
    ) -> str:
        """Keep what is known of why there is no graph; gives the hint that tells of it."""
        from autograd_inspect.tracing.ending import capture_cuts

        scopes = scopes_at_end(outcome.run)
        capture = capture_cuts(lost, scopes, watch.about, watch.scene, error)
        if capture is None:
            return ""
        self._keep(capture)
        return "agi show --cuts lists the places that cut the graph"

    def _keep(self, capture: Capture) -> None:
        if not self._is_ours_to_save():
            return
        profiling = self._profiling
        if profiling is not None and capture.about.profile is None:
            self._untimed = capture if profiling.is_waiting else None
            capture = profiling.put_times(capture)
        self._captures.append(capture)
        self._take(capture)

    def _is_ours_to_save(self) -> bool:
        """Leave it to the process that was started, and in a distributed run to rank 0."""
        rank = current_rank()
        return is_original_process() and (self.request.all_ranks or rank in {None, 0})

    def _about(self) -> About:
        from autograd_inspect.model.capture import About

        target = self.request.target
        return About(
            target=replace(target, expression=None).text,
            arguments=target.arguments,
            expression=target.expression or "",
            rank=current_rank(),
        )


def scopes_at_end(run: Run) -> list[Scope]:
    """List where variables are left when the program is over: where it died, and its globals."""
    from autograd_inspect.tracing.frames import Scope, scopes_of_traceback

    space: dict[str, Any] = vars(run.main)
    error = run.ending.error if isinstance(run.ending, Raised | Interrupted) else None
    died_in = scopes_of_traceback(error.__traceback__) if error else []
    return [*died_in, Scope(space, space)]


def _parsed(make: Callable[[str], Any], text: str | None) -> Any:
    return make(text) if text else None
