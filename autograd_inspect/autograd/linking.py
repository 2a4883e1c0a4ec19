"""Which event of a profile is of which node: by the thread that made it and sequence number.

An operation's event holds the number that the next node of its thread will get, so that the last
one to begin with a node's number is the one that made it. An event of the backward names both.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd_inspect.autograd.events import BACKWARD, EVALUATION, NODE, Event
from autograd_inspect.autograd.nesting import Nested
from autograd_inspect.model.graph import Graph

FORWARD, BACKWARDS = 0, 1

Owner = tuple[int, int]
"""A node by number, and whether its forward or its backward is meant."""


@dataclass(frozen=True, slots=True)
class Link:
    """The events of the nodes.

    owner  of an event by number: the node that it is of
    maker  of a node by number: the event that made it, which may have made others before
    """

    owner: dict[int, Owner]
    maker: dict[int, int]


def ambiguous(graph: Graph) -> list[int]:
    """List the nodes that a sequence number does not tell from others, and the roots.

    Leaves have no number, and numbers of several threads may be equal. The roots tell which thread
    made the graph.
    """
    sequence = graph.node_table.sequence
    _, place, times = np.unique(sequence, return_inverse=True, return_counts=True)
    unclear = (sequence < 0) | (times[place] > 1)
    unclear[graph.root_table.node] = True
    return [int(number) for number in np.flatnonzero(unclear)]


def span_of(nested: Nested) -> Event | None:
    """Give the event of the captured backward."""
    found = (event for event in nested.events if event.name == BACKWARD)
    return max(found, key=lambda event: event.start, default=None)


def link(graph: Graph, nested: Nested, span: Event | None) -> Link:
    """Find the events of a graph's nodes; `span` is that of the captured backward."""
    evaluations = [
        number
        for number, event in enumerate(nested.events)
        if event.name.startswith(EVALUATION) and not nested.aside[number]
    ]
    marked = _marked(nested, len(graph))
    during = [nested.events[number] for number in evaluations if is_in(nested, number, span)]
    thread = _threads(graph, during, {n: nested.events[e] for e, n in marked.items()})
    sequence = graph.node_table.sequence.tolist()
    node_at = {(thread[node], sequence[node]): node for node in thread}
    ops = [graph.ops[row] for row in graph.node_table.op.tolist()]
    owner: dict[int, Owner] = {}
    for number in evaluations:
        event = nested.events[number]
        node = marked.get(number, node_at.get((event.forward_thread, event.sequence), -1))
        if node >= 0 and op_of(event) == ops[node]:
            owner[number] = node, BACKWARDS
    maker = _makers(nested, node_at)
    for node in sorted(maker, key=sequence.__getitem__):
        # Of several nodes that one operation made the first has its time.
        owner.setdefault(maker[node], (node, FORWARD))
    return Link(owner, maker)


def _marked(nested: Nested, count: int) -> dict[int, int]:
    """Give the nodes of those evaluations that we have left marks in."""
    marked = {}
    for number, event in enumerate(nested.events):
        node = event.name.removeprefix(NODE)
        if node != event.name and node.isdecimal() and int(node) < count:
            above = nested.parent[number]
            while above >= 0 and not nested.events[above].name.startswith(EVALUATION):
                above = nested.parent[above]
            if above >= 0:
                marked[above] = int(node)
    return marked


def _threads(
    graph: Graph, evaluations: Sequence[Event], marked: dict[int, Event]
) -> dict[int, int]:
    """Find out which thread made each node that has a number, as far as the backward tells.

    Where it evaluated several of a name and number, it is the one whose thread made marked nodes.
    """
    seen: dict[tuple[str, int], set[int]] = defaultdict(set)
    for event in evaluations:
        seen[op_of(event), event.sequence].add(event.forward_thread)
    trusted = {event.forward_thread for event in marked.values() if event.sequence >= 0}
    trusted = trusted or set().union(*seen.values())
    threads = {}
    for node, (op, sequence) in enumerate(
        zip(graph.node_table.op.tolist(), graph.node_table.sequence.tolist(), strict=True)
    ):
        if sequence < 0:
            continue
        if node in marked:
            threads[node] = marked[node].forward_thread
            continue
        candidates = seen.get((graph.ops[op], sequence), trusted)
        likely = candidates if len(candidates) == 1 else candidates & trusted
        if len(likely) == 1:
            threads[node] = next(iter(likely))
    return threads


def _makers(nested: Nested, node_at: dict[tuple[int, int], int]) -> dict[int, int]:
    """Find the event that made each node, by number of the node.

    An operation that makes several nodes holds the number of the first.
    """
    last: dict[int, dict[int, int]] = defaultdict(dict)
    for number, event in enumerate(nested.events):
        is_forward = event.sequence >= 0 and event.forward_thread == 0
        if is_forward and nested.is_operation(number) and not nested.aside[number]:
            last[event.thread][event.sequence] = number
    held = {thread: sorted(numbers) for thread, numbers in last.items()}
    makers = {}
    for (thread, sequence), node in node_at.items():
        place = bisect_right(held.get(thread, []), sequence) - 1
        if place >= 0:
            makers[node] = last[thread][held[thread][place]]
    return makers


def is_in(nested: Nested, number: int, span: Event | None) -> bool:
    """Tell whether an event began in the captured backward."""
    return span is not None and span.start <= nested.events[number].start < span.end


def op_of(event: Event) -> str:
    """Name the node that an evaluation is of, as the graph has it."""
    return event.name.removeprefix(EVALUATION).rpartition("::")[2]
