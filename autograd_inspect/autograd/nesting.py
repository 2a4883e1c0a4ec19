"""The events of a profile as a forest: on each thread, which event lies within which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autograd_inspect.autograd.events import ALLOCATION, ASIDE, FUNCTION, OURS, Event


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """The host's events by thread and time, each after the one it lies in, by number.

    parent     number of the event it lies in, -1 for none
    own        its time, without that of the events in it
    allocated  bytes allocated in it and in no event within it
    device     time on the device of what it launched
    aside      it lies in what we did ourselves, or is that
    """

    events: list[Event]
    parent: list[int]
    own: list[int]
    allocated: list[int]
    device: list[int]
    aside: list[bool]

    def is_operation(self, number: int) -> bool:
        """Tell an operation from an annotation of the program's, torch's or ours."""
        event = self.events[number]
        return event.scope == FUNCTION and not event.name.startswith(OURS)


def nest(events: Iterable[Event]) -> Nested:
    """Put the events of each thread into one another."""
    nested = Nested([], [], [], [], [], [])
    on_host = [event for event in events if not event.on_device or event.name == ALLOCATION]
    open_events: list[int] = []
    thread = None
    for event in sorted(on_host, key=lambda one: (one.thread, one.start, -one.duration)):
        if event.thread != thread:
            open_events, thread = [], event.thread
        while open_events and nested.events[open_events[-1]].end <= event.start:
            open_events.pop()
        parent = open_events[-1] if open_events else -1
        if event.name == ALLOCATION:
            if parent >= 0:
                nested.allocated[parent] += max(event.allocated, 0)
            continue
        if parent >= 0:
            nested.own[parent] = max(nested.own[parent] - event.duration, 0)
        _add(nested, event, parent)
        open_events.append(len(nested.events) - 1)
    _add_kernels(nested, events)
    return nested


def _add(nested: Nested, event: Event, parent: int) -> None:
    nested.events.append(event)
    nested.parent.append(parent)
    nested.own.append(event.duration)
    nested.allocated.append(0)
    nested.device.append(0)
    nested.aside.append(event.name == ASIDE or (parent >= 0 and nested.aside[parent]))


def _add_kernels(nested: Nested, events: Iterable[Event]) -> None:
    number_of = {event.id: number for number, event in enumerate(nested.events) if event.id}
    for event in events:
        launcher = number_of.get(event.launched_by, -1) if event.on_device else -1
        if launcher >= 0 and event.name != ALLOCATION:
            nested.device[launcher] += event.duration
