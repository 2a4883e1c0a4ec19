"""Timing a step of the program: when the profiler runs, and what of it is ours."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograd_inspect.autograd.events import ASIDE, BACKWARD
from autograd_inspect.autograd.profiler import Profiler, TimedBackward, record_function
from autograd_inspect.autograd.timing import ambiguous, with_times
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.errors import UsageError
from autograd_inspect.model.profile import Profile


@dataclass(slots=True, eq=False)
class Profiling:
    """Profiles from the end of one backward call of the program to the end of the next.

    step    of the backward calls that match, the one to end with
    chrome  where to write torch's own trace; None for nowhere
    """

    step: int = 1
    chrome: Path | None = None
    profiler: Profiler = field(default_factory=Profiler)

    def begin_after(self, matches: int) -> None:
        """Begin if so many matching calls are those before the one to capture."""
        if matches == self.step - 1:
            self.profiler.start()

    def aside(self) -> AbstractContextManager[object]:
        """Keep what we do ourselves out of the times."""
        mark: AbstractContextManager[object] = record_function(ASIDE)
        return mark

    def timed(self, walked: Walk) -> AbstractContextManager[None]:
        """Take the block for the backward of this graph."""
        nodes = {number: walked.nodes[number] for number in ambiguous(walked.graph)}
        return TimedBackward(BACKWARD, nodes)

    def finish(self, walked: Walk) -> tuple[Walk, Profile]:
        """End the profile and give the graph its times."""
        if self.profiler.is_of_another_thread:
            raise UsageError(
                "nothing timed: backward ran on another thread than the one that imported torch",
                hint="--all-threads times every thread, without memory",
            )
        self.profiler.stop()
        graph, profile = with_times(walked.graph, self.profiler.profiled(), self.step)
        profile = replace(profile, memory=not self.profiler.all_threads)
        trouble = self.profiler.trouble
        if trouble is not None:
            profile = replace(profile, notes=(*profile.notes, f"kernels were not timed: {trouble}"))
        return replace(walked, graph=graph), profile


def aside(profiling: Profiling | None) -> AbstractContextManager[object]:
    """Keep what we do ourselves out of the times, if any are taken."""
    return profiling.aside() if profiling is not None else nullcontext()


def timed(profiling: Profiling | None, walked: Walk) -> AbstractContextManager[None]:
    """Take the block for the backward of this graph, if times are taken."""
    return profiling.timed(walked) if profiling is not None else nullcontext()
