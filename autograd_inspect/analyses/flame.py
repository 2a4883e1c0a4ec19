"""The times of a graph as stacks: module in module, then line, then operation."""

from __future__ import annotations

import numpy as np

from autograd_inspect.analyses.times import check_timed
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Call, Node
from autograd_inspect.model.tables import Longs
from autograd_inspect.model.times import Frame, Sample, Samples


def stacks(capture: Capture) -> tuple[Samples, Samples]:
    """Give the samples of forward and of backward, each in the order in which things ran.

    What ran outside of the graph is in a frame of its own at the end.
    """
    check_timed(capture)
    graph, table = capture.graph, capture.graph.time_table
    return (
        Samples("forward", _samples(graph, table.forward, table.began, backward=False)),
        Samples("backward", _samples(graph, table.backward, table.backward_began, backward=True)),
    )


def _samples(graph: Graph, time: Longs, began: Longs, *, backward: bool) -> tuple[Sample, ...]:
    ran = np.flatnonzero(time > 0)
    order = ran[np.argsort(began[ran], kind="stable")]
    found = [Sample(_stack(graph.node(int(node))), int(time[node])) for node in order]
    table = graph.outside_table
    rows = np.flatnonzero((table.backward == backward) & (table.time > 0))
    outside = Frame("(outside the graph)")
    found += [
        Sample((outside, Frame(graph.name(int(table.name[row])))), int(table.time[row]))
        for row in rows
    ]
    return tuple(found)


def _stack(node: Node) -> tuple[Frame, ...]:
    """Give the frames of a node, outermost first."""
    calls: list[Call] = []
    call = node.call
    while call is not None:
        calls.append(call)
        call = call.parent
    modules = [_module(call) for call in reversed(calls)]
    place = node.place
    line = [Frame(place.short, place.file, place.line)] if place else []
    name = node.leaf.name if node.leaf is not None else ""
    file, number = (place.file, place.line) if place else ("", 0)
    return (*modules, *line, Frame(f"{node.title} {name}".rstrip(), file, number))


def _module(call: Call) -> Frame:
    module = call.module
    name = module.full_name or module.cls
    return Frame(name if name == module.cls else f"{name} ({module.cls})")
