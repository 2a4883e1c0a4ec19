"""Timing a step of the program: when the profiler runs, and what of it is ours."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograd_inspect.autograd._torch import record_function
from autograd_inspect.autograd.chrome import write_trace
from autograd_inspect.autograd.events import ASIDE, BACKWARD, event_id
from autograd_inspect.autograd.linking import ambiguous
from autograd_inspect.autograd.profiler import Profiler, TimedBackward
from autograd_inspect.autograd.timing import Timing, time_nodes
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph


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

    def end(self) -> None:
        """End the profile."""
        if self.profiler.is_of_another_thread:
            raise UsageError(
                "nothing timed: backward ran on another thread than the one that imported torch",
                hint="--all-threads times every thread, without memory",
            )
        self.profiler.stop()

    @property
    def is_waiting(self) -> bool:
        """Whether a profile of the program's own goes on, without whose results there are none."""
        return self.profiler.makes_way

    def link(self, graph: Graph) -> Timing:
        """Give a graph the times of its nodes."""
        return time_nodes(graph, self.profiler.profiled(), self.step)

    def put_times(self, capture: Capture) -> Capture:
        """Give a capture its times; not yet those that a profile of the program's own has."""
        timing = self.link(capture.graph)
        notes = (
            [f"kernels were not timed: {self.profiler.trouble}"] if self.profiler.trouble else []
        )
        if self.profiler.has_made_way:
            notes.append("the program has a profile of its own, which was read for what it covers")
        profile = replace(timing.profile, memory=not self.profiler.all_threads, notes=tuple(notes))
        about = replace(capture.about, profile=profile)
        timed_capture = replace(capture, graph=timing.graph, about=about)
        if not self.is_waiting:
            self._export(timing)
        return timed_capture

    def _export(self, timing: Timing) -> None:
        """Write the trace of torch's own that was asked for, once, with the nodes in it."""
        path, self.chrome = self.chrome, None
        if path is not None and self.profiler.own:
            results = [self.profiler.results[place] for place in self.profiler.own]
            nodes = [_nodes_in(place, timing.node_of) for place in self.profiler.own]
            write_trace(path, results, timing.graph, nodes)


def _nodes_in(stretch: int, node_of: Mapping[int, int]) -> dict[int, int]:
    """Give the nodes of a stretch's events by their numbers in it."""
    first, last = event_id(stretch, 1), event_id(stretch + 1, 1)
    return {one - first + 1: node for one, node in node_of.items() if first <= one < last}


def aside(profiling: Profiling | None) -> AbstractContextManager[object]:
    """Keep what we do ourselves out of the times, if any are taken."""
    return profiling.aside() if profiling is not None else nullcontext()


def timed(profiling: Profiling | None, walked: Walk) -> AbstractContextManager[None]:
    """Take the block for the backward of this graph, if times are taken."""
    return profiling.timed(walked) if profiling is not None else nullcontext()
