"""The times of nodes, added up from the events of a profile.

What an event took apart from events within it goes to the node that it is of, or else to that of
the event around it; what is around several nodes, as `linear` is around `t` and `addmm`, goes to
the last of them. So every nanosecond is counted once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from autograd_inspect.autograd.events import ASIDE, EVALUATION, Event, Profiled
from autograd_inspect.autograd.linking import (
    BACKWARDS,
    FORWARD,
    Link,
    Owner,
    is_in,
    link,
    op_of,
    span_of,
)
from autograd_inspect.autograd.nesting import Nested, nest
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.profile import OutsideTable, Profile, TimeTable
from autograd_inspect.model.tables import Longs


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """A graph with its times, what is to be said of the whole, and the node of events by `id`."""

    graph: Graph
    profile: Profile
    node_of: dict[int, int]


def time_nodes(graph: Graph, profiled: Profiled, step: int) -> Timing:
    """Give a graph the times of a profile."""
    nested = nest(profiled.events)
    span = span_of(nested)
    found = link(graph, nested, span)
    owner = _effective(nested, found)
    forward = _Sums.of(len(graph), FORWARD, nested, found, owner)
    backward = _Sums.of(len(graph), BACKWARDS, nested, found, owner)
    table = _table(forward, backward, profiled)
    graph = _with_outside(replace(graph, time_table=table), nested, owner, span)
    linked = int(np.count_nonzero((table.forward >= 0) | (table.backward >= 0)))
    before, during = _walls(nested, profiled.start, span)
    profile = Profile(step, before, during, profiled.device, linked=linked)
    node_of = {nested.events[number].id: node for number, (node, _) in found.owner.items()}
    return Timing(graph, profile, node_of)


def _effective(nested: Nested, link: Link) -> list[Owner | None]:
    """Say for each event whose its own time is."""
    result: list[Owner | None] = []
    of_composite = _composites(nested, link)
    for number, parent in enumerate(nested.parent):
        owner = link.owner.get(number, of_composite.get(number))
        result.append(owner or (result[parent] if parent >= 0 else None))
    return result


def _composites(nested: Nested, link: Link) -> dict[int, Owner]:
    """Give the last node in each operation that nodes were made in and that is itself none's."""
    found = {}
    for number in sorted(link.owner):
        node, phase = link.owner[number]
        above = nested.parent[number]
        while phase == FORWARD and above >= 0 and above not in link.owner:
            name = nested.events[above].name
            if not nested.is_operation(above) or name.startswith(EVALUATION):
                break
            found[above] = node, phase
            above = nested.parent[above]
    return found


@dataclass(slots=True, eq=False)
class _Sums:
    """What adds up per node, in its forward or in its backward; -1 where no event is known."""

    own: Longs
    total: Longs
    allocated: Longs
    device: Longs
    start: Longs
    runs: Longs

    @classmethod
    def of(
        cls, count: int, phase: int, nested: Nested, link: Link, owner: list[Owner | None]
    ) -> _Sums:
        """Add up."""
        sums = cls(*(np.zeros(count, np.int64) for _ in range(6)))
        sums.start[:] = -1
        within = _nearest(nested, link)
        for number, mine in enumerate(owner):
            event, parent = nested.events[number], nested.parent[number]
            if mine is not None and mine[1] == phase:
                node = mine[0]
                sums.own[node] += nested.own[number]
                sums.allocated[node] += nested.allocated[number]
                sums.device[node] += nested.device[number]
            if number in link.owner:
                around = within[parent] if parent >= 0 else None
                if around is not None and around[1] == phase and around != mine:
                    sums.total[around[0]] += event.duration
                if link.owner[number][1] == phase:
                    node = link.owner[number][0]
                    sums.runs[node] += 1
                    first = sums.start[node]
                    sums.start[node] = event.start if first < 0 else min(event.start, first)
        if phase == FORWARD:
            for node, number in link.maker.items():
                sums.start[node] = nested.events[number].start
        sums.total += sums.own
        sums.hide_unknown()
        return sums

    def hide_unknown(self) -> None:
        """Put -1 for the nodes without an event."""
        for figures in (self.own, self.total, self.allocated, self.device):
            figures[self.start < 0] = -1


def _nearest(nested: Nested, link: Link) -> list[Owner | None]:
    """Give the owner of each event, or of the nearest around it that is itself a node's."""
    result: list[Owner | None] = []
    for number, parent in enumerate(nested.parent):
        result.append(link.owner.get(number) or (result[parent] if parent >= 0 else None))
    return result


def _table(forward: _Sums, backward: _Sums, profiled: Profiled) -> TimeTable:
    began, later = (
        np.where(sums.start >= 0, sums.start - profiled.start, -1) for sums in (forward, backward)
    )
    nothing = np.full(len(began), -1, np.int64)
    return TimeTable(
        forward=forward.own,
        forward_total=forward.total,
        backward=backward.own,
        backward_total=backward.total,
        runs=backward.runs.astype(np.int32),
        began=began,
        backward_began=later,
        allocated=forward.allocated,
        backward_allocated=backward.allocated,
        device=forward.device if profiled.device else nothing,
        backward_device=backward.device if profiled.device else nothing,
    )


def _with_outside(
    graph: Graph, nested: Nested, owner: list[Owner | None], span: Event | None
) -> Graph:
    """Put in what ran outside of the graph, each operation with all that it called."""
    sums: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    outermost: list[int] = []
    for number, (parent, mine) in enumerate(zip(nested.parent, owner, strict=True)):
        above = outermost[parent] if parent >= 0 else -1
        is_none = mine is None and nested.is_operation(number) and not nested.aside[number]
        outermost.append(
            -1 if mine is not None else above if above >= 0 else number if is_none else -1
        )
        if mine is None and outermost[number] >= 0:
            first = outermost[number]
            row = sums[_name_of(nested.events[first]), is_in(nested, first, span)]
            row[0] += first == number
            row[1] += nested.own[number]
            row[2] += nested.allocated[number]
            row[3] += nested.device[number]
    names = {name: row for row, name in enumerate(graph.names)}
    rows = [names.setdefault(name, len(names)) for name, _ in sums]
    columns = np.array(list(sums.values()), np.int64).reshape(len(sums), 4)
    table = OutsideTable(
        name=np.array(rows, np.int32),
        backward=np.array([later for _, later in sums], np.uint8),
        calls=columns[:, 0],
        time=columns[:, 1],
        allocated=columns[:, 2],
        device=columns[:, 3],
    )
    return replace(graph, outside_table=table, names=tuple(names))


def _walls(nested: Nested, start: int, span: Event | None) -> tuple[int, int]:
    """Measure what came before the captured backward, and that, without what we did ourselves."""
    last = max((event.end for event in nested.events), default=start)
    begin, end = (span.start, span.end) if span is not None else (last, last)
    asides = [
        event
        for event, parent in zip(nested.events, nested.parent, strict=True)
        if event.name == ASIDE and (parent < 0 or not nested.aside[parent])
    ]
    before = sum(event.duration for event in asides if event.start < begin)
    during = sum(event.duration for event in asides if begin <= event.start < end)
    return max(begin - start - before, 0), end - begin - during if span is not None else -1


def _name_of(event: Event) -> str:
    return op_of(event) if event.name.startswith(EVALUATION) else event.name.removeprefix("aten::")
