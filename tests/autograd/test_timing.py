"""Linking a profile's events to nodes: by hand, and against what torch itself counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build import graph_of
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.autograd.events import (
    ALLOCATION,
    ASIDE,
    BACKWARD,
    EVALUATION,
    NODE,
    Event,
    Profiled,
)
from autograd_inspect.autograd.linking import ambiguous
from autograd_inspect.autograd.nesting import nest
from autograd_inspect.autograd.timing import Timing, time_nodes
from autograd_inspect.model.graph import Graph

Outside = dict[tuple[str, bool], tuple[int, int]]


def chain() -> Graph:
    """sum #0 (2) <- addmm #1 (1) <- t #2 (0) <- weight #3, sequence numbers in brackets."""
    graph = graph_of(
        [[1], [2], [3], []],
        ops=["SumBackward0", "AddmmBackward0", "TBackward0", "AccumulateGrad"],
        names={3: "weight"},
    )
    return with_sequence(graph, [2, 1, 0, -1])


def with_sequence(graph: Graph, numbers: list[int]) -> Graph:
    table = replace(graph.node_table, sequence=np.array(numbers, np.int64))
    return replace(graph, node_table=table)


def op(name: str, start: int, duration: int, sequence: int = -1, **more: int) -> Event:
    return Event(name, sequence=sequence, start=start, duration=duration, **more)  # type: ignore[arg-type]


def evaluation(name: str, start: int, duration: int, sequence: int = -1, made_by: int = 1) -> Event:
    forward = made_by if sequence >= 0 else 0
    return op(f"{EVALUATION}{name}", start, duration, sequence, forward_thread=forward)


def backward(*events: Event) -> list[Event]:
    last = max(event.end for event in events)
    return [op(BACKWARD, 500, last - 500 + 10), *events]


def step() -> list[Event]:
    """`linear` and `sum` on one thread, then their backward."""
    return [
        op("aten::linear", 100, 100, 0),
        op("aten::t", 110, 20, 0),
        op("aten::addmm", 140, 50, 1),
        op("aten::sum", 210, 30, 2),
        op("aten::sum", 215, 10),
        *backward(
            evaluation("SumBackward0", 510, 10, 2),
            evaluation("AddmmBackward0", 530, 40, 1),
            op("aten::mm", 540, 20),
            evaluation("TBackward0", 580, 5, 0),
            evaluation("torch::autograd::AccumulateGrad", 590, 7),
            op(f"{NODE}3", 594, 1),
        ),
    ]


def timed(graph: Graph, events: list[Event]) -> Timing:
    return time_nodes(graph, Profiled(events, start=50), step=1)


def outside(timing: Timing) -> Outside:
    table = timing.graph.outside_table
    return {
        (timing.graph.name(int(name)), bool(later)): (int(calls), int(time))
        for name, later, calls, time in zip(
            table.name, table.backward, table.calls, table.time, strict=True
        )
    }


def test_times_of_a_step() -> None:
    timing = timed(chain(), step())
    table = timing.graph.time_table
    # What `linear` takes beside `t` and `addmm` is the last one's.
    assert table.forward.tolist() == [30, 80, 20, -1]
    assert table.forward_total.tolist() == [30, 80, 20, -1]
    assert table.backward.tolist() == [10, 40, 5, 7]
    assert table.runs.tolist() == [1, 1, 1, 1]
    assert table.began.tolist() == [160, 90, 60, -1]
    assert table.backward_began.tolist() == [460, 480, 530, 540]
    assert outside(timing) == {}
    assert (timing.profile.forward, timing.profile.backward) == (450, 107)
    assert timing.profile.linked == 4


def test_the_last_operation_to_begin_with_a_number_made_the_node() -> None:
    """As `dropout` does, whose mask is made while the number of its `mul` is next."""
    graph = graph_of([[1], []], ops=["MulBackward0", "AccumulateGrad"], names={1: "x"})
    graph = with_sequence(graph, [4, -1])
    events = [
        op("aten::rand", 100, 50, 4),  # before, on its own: not of the node
        op("aten::dropout", 200, 100, 4),
        op("aten::bernoulli_", 210, 40, 4),
        op("aten::mul", 260, 30, 4),
    ]
    timing = timed(graph, [*events, *backward(evaluation("MulBackward0", 510, 9, 4))])
    assert timing.graph.time_table.forward.tolist() == [100, -1]
    assert timing.graph.time_table.began.tolist() == [210, -1]
    assert outside(timing) == {("rand", False): (1, 50)}


def test_of_nodes_that_one_operation_made_the_first_has_its_time() -> None:
    graph = with_sequence(chain(), [7, 6, 5, -1])
    events = [op("aten::mul_", 100, 40, 5), op("aten::sum", 200, 10, 7)]
    table = timed(graph, events + backward(evaluation("SumBackward0", 510, 1, 7))).graph.time_table
    assert table.forward.tolist() == [10, 0, 40, -1]


def test_nodes_from_before_the_profile_are_not_linked() -> None:
    graph = with_sequence(chain(), [12, 3, 2, -1])
    events = [op("aten::sum", 200, 10, 12)]
    timing = timed(graph, events + backward(evaluation("SumBackward0", 510, 1, 12)))
    assert timing.graph.time_table.forward.tolist() == [10, -1, -1, -1]
    assert timing.profile.linked == 1


def test_what_is_ours_is_in_no_time() -> None:
    events = [*step(), op(ASIDE, 300, 100), op("aten::clone", 310, 50, 3)]
    timing = timed(chain(), events)
    assert outside(timing) == {}
    assert timing.profile.forward == 350


def test_nodes_made_within_a_backward_count_in_total_only() -> None:
    """As `create_graph` has it: the first backward runs `mul`, which makes a node of the graph."""
    graph = graph_of([[1], [2], []], ops=["MulBackward0", "PowBackward0", "AccumulateGrad"])
    graph = with_sequence(graph, [1, 0, -1])
    events = [
        op("aten::pow", 100, 10, 0),
        evaluation("PowBackward0", 200, 60, 0),
        op("aten::mul", 210, 20, 1),
        *backward(evaluation("MulBackward0", 510, 5, 1), evaluation("PowBackward0", 520, 7, 0)),
    ]
    table = timed(graph, events).graph.time_table
    assert table.forward.tolist() == [20, 10, -1]
    assert table.backward.tolist() == [5, 47, -1]
    assert table.backward_total.tolist() == [5, 67, -1]
    assert table.runs.tolist() == [1, 2, 0]


def test_equal_numbers_of_two_threads_are_told_by_marks() -> None:
    graph = graph_of(
        [[1, 2], [3], [3], []],
        ops=["AddBackward0", "MulBackward0", "MulBackward0", "AccumulateGrad"],
    )
    graph = with_sequence(graph, [9, 0, 0, -1])
    assert ambiguous(graph) == [0, 1, 2, 3]
    events = [
        op("aten::mul", 100, 11, 0, thread=2),
        op("aten::mul", 100, 22, 0, thread=3),
        op("aten::add", 300, 5, 9),
        *backward(
            evaluation("AddBackward0", 510, 1, 9),
            evaluation("MulBackward0", 520, 30, 0, made_by=3),
            op(f"{NODE}1", 530, 1),
            evaluation("MulBackward0", 560, 40, 0, made_by=2),
            op(f"{NODE}2", 570, 1),
        ),
    ]
    table = timed(graph, events).graph.time_table
    assert table.forward.tolist() == [5, 22, 11, -1]
    assert table.backward.tolist() == [1, 30, 40, -1]


def test_the_same_number_on_another_thread_is_not_the_node() -> None:
    events = [*step(), op("aten::exp", 100, 1000, 1, thread=2)]
    timing = timed(chain(), events)
    assert timing.graph.time_table.forward.tolist() == [30, 80, 20, -1]
    assert outside(timing) == {("exp", False): (1, 1000)}


def test_other_graphs_and_what_no_operation_is_in() -> None:
    events = [
        op("an annotation", 60, 40, scope=7),
        op("aten::randn", 70, 20),
        *step(),
        evaluation("ExpBackward0", 250, 40, 17),
        op("aten::mul", 260, 10),
    ]
    assert outside(timed(chain(), events)) == {
        ("randn", False): (1, 20),
        ("ExpBackward0", False): (1, 40),
    }


def test_allocations_and_kernels_are_of_the_event_around_them() -> None:
    events = [
        *step(),
        op(ALLOCATION, 150, 0, allocated=64),
        op(ALLOCATION, 155, 0, allocated=-64),
        op(ALLOCATION, 545, 0, allocated=32),
        Event("gemm", start=900, duration=77, id=900, launched_by=9, on_device=True),
    ]
    events = [replace(e, id=9) if e.name == "aten::addmm" else e for e in events]
    table = time_nodes(chain(), Profiled(events, 50, "cuda"), step=1).graph.time_table
    assert table.allocated.tolist() == [0, 64, 0, -1]
    assert table.backward_allocated.tolist() == [0, 32, 0, 0]
    assert table.device.tolist() == [0, 77, 0, -1]


def test_without_events_nothing_is_known() -> None:
    timing = timed(chain(), [])
    assert timing.graph.time_table.forward.tolist() == [-1] * 4
    assert timing.graph.time_table.device.tolist() == [-1] * 4
    assert (timing.profile.forward, timing.profile.backward) == (0, -1)


@st.composite
def forests(draw: st.DrawFn) -> list[Event]:
    """Events that lie within or beside one another, as those of a thread do."""
    events: list[Event] = []

    def fill(start: int, end: int, depth: int) -> None:
        while end - start > 4 and len(events) < 40 and draw(st.booleans()):
            first = draw(st.integers(start, end - 2))
            last = draw(st.integers(first + 1, end - 1))
            sequence = draw(st.integers(-1, 3))
            name = draw(st.sampled_from(["aten::mul", "aten::t", f"{EVALUATION}SumBackward0"]))
            made_by = int(name.startswith(EVALUATION) and sequence >= 0)
            events.append(op(name, first, last - first, sequence, forward_thread=made_by))
            if depth < 3:
                fill(first + 1, last, depth + 1)
            start = last + 1

    fill(51, 490, 0)
    return events


@given(forests())
def test_every_nanosecond_is_counted_once(events: list[Event]) -> None:
    timing = timed(chain(), events + backward(evaluation("SumBackward0", 510, 3, 2)))
    table = timing.graph.time_table
    counted = sum(int(np.maximum(one, 0).sum()) for one in (table.forward, table.backward))
    nested = nest(events)
    outermost = sum(
        event.duration
        for event, parent in zip(nested.events, nested.parent, strict=True)
        if parent < 0
    )
    assert counted + int(timing.graph.outside_table.time.sum()) == outermost + 3


@pytest.mark.parametrize("name", [f"{NODE}3x", f"{NODE}99", NODE])
def test_marks_that_are_not_ours_do_no_harm(name: str) -> None:
    events = [*step(), op(name, 532, 1)]
    assert timed(chain(), events).graph.time_table.backward.tolist() == [10, 40, 5, 7]
