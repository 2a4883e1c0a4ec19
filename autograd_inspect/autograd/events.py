"""The events of a profile, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

#: Events with such names are our own marks.
OURS = "autograd-inspect: "
#: Around what we do ourselves, which is no part of the program.
ASIDE = f"{OURS}aside"
#: Around the captured backward.
BACKWARD = f"{OURS}backward"
#: Within an evaluation, with the number of the node it is of.
NODE = f"{OURS}node "

#: How torch's profiler names an allocation, and the engine's evaluation of a node.
ALLOCATION = "[memory]"
EVALUATION = "autograd::engine::evaluate_function: "

#: The scope of operations; annotations of the program and of torch have others.
FUNCTION = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event of torch's profiler; times in nanoseconds.

    sequence        of the node: in forward, the one that is made next on the thread; -1 for none
    forward_thread  of an event of the backward, the thread that made the node; else 0
    allocated       bytes, less than 0 where they were freed
    launched_by     `id` of the event that launched it, where it is the device's
    """

    name: str
    scope: int = FUNCTION
    sequence: int = -1
    forward_thread: int = 0
    thread: int = 1
    start: int = 0
    duration: int = 0
    allocated: int = 0
    id: int = 0
    launched_by: int = 0
    on_device: bool = False

    @property
    def end(self) -> int:
        """When it was over."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Profiled:
    """All events of a profile, when it began, and the device whose kernels were timed."""

    events: list[Event]
    start: int
    device: str = ""


def event_id(stretch: int, number: int) -> int:
    """Make an id that no event of another stretch of the profile has; 0 stays none."""
    return stretch << 48 | number if number else 0
