"""Torch's own profiler, switched on for a part of the program, and what it saw.

A program may use that profiler itself, and torch has only one: ours makes way for it, and reads the
program's results instead. So a profile is a list of stretches, each with its events.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch.autograd import profiler as torch_profiler

from autograd_inspect.autograd._torch import (
    GraphNode,
    hush_warnings,
    is_on_device,
    record_function,
    runs_compiled_backward,
    torch_profile,
    when_cuda_starts,
)
from autograd_inspect.autograd.events import ALLOCATION, NODE, Event, Profiled, event_id

_LOG_LEVEL = "KINETO_LOG_LEVEL"
_SILENT = "99"


@dataclass(slots=True, eq=False)
class Profiler:
    """Profiles from `start` to `stop`, the thread that starts it and what backward runs on.

    Torch counts allocations only so; `all_threads` times those of the program, too, without them.

    results  of each stretch
    own      the places therein of those that are ours, not the program's
    """

    all_threads: bool = False
    results: list[Any] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    device: str = ""
    trouble: BaseException | None = None
    _running: Any = None
    _is_on: bool = False
    _has_begun: bool = False
    _by_program: bool = False
    _undo: Callable[[], None] = lambda: None
    _unhush: Callable[[], None] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _switching: int = 0
    _thread: int = 0

    def prepare(self) -> None:
        """Look out for profiles of the program's own, and let torch set its profiler up.

        Torch does so when it first profiles, and wants to do it on the thread that imported it.
        """
        with self._switched(), torch_profile("", all_threads=False):
            pass
        self._undo = self._make_way()

    def start(self) -> None:
        """Begin to profile; beginning twice is no fault."""
        if self._has_begun:
            return
        self._is_on = self._has_begun = True
        self._begin()
        when_cuda_starts(self._begin_on_device)

    def stop(self) -> None:
        """End it, once a profile of the program's own is over; ending twice is no fault."""
        self._end()
        self._is_on = False
        if not self._by_program:
            self._undo()

    @property
    def makes_way(self) -> bool:
        """Whether a profile of the program's own is running in the place of ours."""
        return self._by_program

    @property
    def has_made_way(self) -> bool:
        """Whether a profile of the program's own has run in the meantime."""
        return self._by_program or len(self.results) > len(self.own)

    @property
    def is_of_another_thread(self) -> bool:
        """Whether it cannot be ended here, and sees nothing of what this thread does."""
        here = self._thread == threading.get_ident()
        return self._running is not None and not self.all_threads and not here

    def profiled(self) -> Profiled:
        """Give the events of all stretches."""
        stretches = enumerate(self.results)
        events = [event for place, result in stretches for event in _events(result, place)]
        start = min((result.trace_start_ns() for result in self.results), default=0)
        return Profiled(events, start, self.device)

    def _begin(self) -> None:
        with self._switched():
            if self._is_on and self._running is None and not self._by_program:
                self._running = torch_profile(self.device, all_threads=self.all_threads)
                self._unhush = hush_warnings()
                self._running.__enter__()
                self._thread = threading.get_ident()

    def _end(self) -> None:
        if self.is_of_another_thread:
            return
        with self._switched():
            running, self._running = self._running, None
            if running is not None:
                running.__exit__(None, None, None)
                self._unhush()
                self.own.append(len(self.results))
                self.results.append(running.kineto_results)

    @contextmanager
    def _switched(self) -> Iterator[None]:
        """Let one thread at a time switch, known for ours, and without torch's remarks on it."""
        with self._lock, _silence():
            self._switching = threading.get_ident()
            try:
                yield
            finally:
                self._switching = 0

    def _begin_on_device(self) -> None:
        """Time kernels from now on; before, asking for them would have been the first to use CUDA.

        A program may still set environment variables until then, which are read only once.
        """
        try:
            if self._is_on and not self._by_program:
                self._end()
                self.device = "cuda"
                self._begin()
        except Exception as error:  # noqa: BLE001 - the user's program must not see it
            self.trouble = error

    def _make_way(self) -> Callable[[], None]:
        """Stand in front of the functions that every profile of torch begins and ends with."""
        names = ("_prepare_profiler", "_enable_profiler", "_disable_profiler")
        originals = {name: getattr(torch_profiler, name) for name in names}

        def begins(original: Callable[..., Any]) -> Callable[..., Any]:
            def begin(*arguments: Any, **options: Any) -> Any:
                if not self._is_ours():
                    self._by_program = True
                    self._end()
                return original(*arguments, **options)

            return begin

        def disable(*arguments: Any, **options: Any) -> Any:
            result = originals["_disable_profiler"](*arguments, **options)
            if not self._is_ours():
                self._by_program = False
                if self._has_begun:
                    self.results.append(result)
                self._begin()
            return result

        replaced = {name: begins(originals[name]) for name in names[:2]}
        for name, function in {**replaced, "_disable_profiler": disable}.items():
            setattr(torch_profiler, name, function)

        def undo() -> None:
            for name, original in originals.items():
                setattr(torch_profiler, name, original)

        return undo

    def _is_ours(self) -> bool:
        """Tell whether it is we who are switching."""
        return self._switching == threading.get_ident()


class TimedBackward:
    """Marks in the profile a backward, and therein when these nodes, by number, are evaluated.

    They are those that no sequence number tells from others. The hook comes after the node, which
    does not keep AccumulateGrad from taking a gradient over as it is. No generator makes this
    context: that would put its frames into the traceback of a backward that fails.
    """

    def __init__(self, name: str, nodes: Mapping[int, GraphNode]) -> None:
        self._mark = record_function(name)
        self._nodes = nodes
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        if not runs_compiled_backward():  # which would compile the hooks, too
            self._handles = [node.register_hook(_marker(n)) for n, node in self._nodes.items()]
        self._mark.__enter__()

    def __exit__(self, *_: object) -> None:
        self._mark.__exit__(None, None, None)
        for handle in self._handles:
            handle.remove()


def _marker(number: int) -> Callable[[Any, Any], None]:
    mark = record_function(f"{NODE}{number}")

    def leave_mark(*_: Any) -> None:
        with mark:
            pass

    return leave_mark


@contextmanager
def _silence() -> Iterator[None]:
    """Keep torch's profiler from writing to stderr; it looks when it is first used."""
    before = os.environ.get(_LOG_LEVEL)
    os.environ[_LOG_LEVEL] = before or _SILENT
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LOG_LEVEL]


def _events(result: Any, stretch: int) -> Iterator[Event]:
    """Read the events of a stretch; each counts its ids from 1."""
    for event in result.events():
        name, on_device = event.name(), is_on_device(event)
        if event.is_async() or event.start_thread_id() != event.end_thread_id():
            continue
        if on_device and event.is_user_annotation():  # the time between kernels is in it, too
            continue
        yield Event(
            name=name,
            scope=event.scope(),
            sequence=event.sequence_nr(),
            forward_thread=event.fwd_thread_id(),
            thread=event.start_thread_id(),
            start=event.start_ns(),
            duration=event.duration_ns(),
            allocated=event.nbytes() if name == ALLOCATION else 0,
            id=event_id(stretch, event.correlation_id()),
            launched_by=event_id(stretch, event.linked_correlation_id()),
            on_device=on_device,
        )
