"""Summing up times: by hand, and that the parts add up to the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, with_origins
from hypothesis import given
from hypothesis import strategies as st

import autograd_inspect
from autograd_inspect.analyses.flame import stacks
from autograd_inspect.analyses.times import times
from autograd_inspect.analyses.words import TIME_GROUPINGS
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.profile import OutsideTable, Profile, TimeTable
from autograd_inspect.model.times import Frame


def profiled(
    graph: Graph,
    forward: list[int],
    backward: list[int],
    outside: dict[str, int] | None = None,
    **columns: list[int],
) -> Capture:
    """Make a capture whose nodes took these times."""
    count = len(graph)
    names = dict.fromkeys([*graph.names, *(outside or {})])
    given = {
        "forward": forward,
        "backward": backward,
        "forward_total": forward,
        "backward_total": backward,
        "began": list(range(count, 0, -1)),
        "backward_began": list(range(count)),
        "runs": [1] * count,
    } | columns
    table = TimeTable(
        **{
            name: np.array(given.get(name, [-1] * count), np.int32 if name == "runs" else np.int64)
            for name in TimeTable.__slots__
        }
    )
    rows = np.array([list(names).index(name) for name in outside or {}], np.int32)
    figures = np.array(list((outside or {}).values()), np.int64)
    whole = np.ones(len(rows), np.int64)
    graph = replace(
        graph,
        names=tuple(names),
        time_table=table,
        outside_table=OutsideTable(
            rows, np.zeros(len(rows), np.uint8), whole, figures, whole * 0, whole * 0
        ),
    )
    profile = Profile(step=1, forward=1000, backward=500, linked=count)
    return replace(make_capture(graph, profile=profile), graph=graph)


def layers() -> Graph:
    """sum <- mul <- addmm <- weight, and mul <- pow <- scale, in two modules within one."""
    graph = graph_of(
        [[1], [2, 4], [3], [], [5], []],
        ops=[
            *("SumBackward0", "MulBackward0", "AddmmBackward0"),
            *("AccumulateGrad", "PowBackward0", "AccumulateGrad"),
        ],
        names={3: "fc.weight", 5: "scale"},
    )
    return with_origins(
        graph,
        places={
            0: "train.py:9",
            1: "model.py:4 forward < train.py:8",
            2: "model.py:3 forward < train.py:8",
            4: "model.py:4 forward < train.py:8",
        },
        calls={1: ":Net", 2: "fc:Linear", 4: ":Net"},
        variables={2: "hidden"},
    )


def capture() -> Capture:
    return profiled(
        layers(),
        forward=[10, 20, 300, -1, 40, -1],
        backward=[1, 2, 30, 5, 4, -1],
        outside={"randn": 80, "copy_": 8},
        allocated=[4, 8, 16, -1, 32, -1],
        backward_allocated=[0, 1, 2, 0, 0, -1],
    )


def test_by_operation_slowest_first() -> None:
    found = times(capture())
    rows = [(row.name, row.calls, row.forward, row.backward, row.memory) for row in found.rows]
    assert rows == [
        ("addmm", 1, 300, 30, 18),
        ("pow", 1, 40, 4, 32),
        ("mul", 1, 20, 2, 9),
        ("sum", 1, 10, 1, 4),
        ("AccumulateGrad", 2, 0, 5, 0),
    ]
    assert (found.forward, found.backward, found.time) == (370, 42, 412)
    assert [(one.name, one.time) for one in found.outside] == [("randn", 80), ("copy_", 8)]
    assert found.measured == 500
    assert found.share(found.rows[0].time) == 330 / 500


def test_a_module_has_its_submodules_in_total() -> None:
    found = times(capture(), by="module")
    rows = {row.name: (row.calls, row.time, row.total) for row in found.rows}
    assert rows == {"fc": (1, 330, 330), "model": (2, 66, 396), "(outside modules)": (3, 16, 16)}


def test_a_line_has_what_it_called_in_total() -> None:
    found = times(capture(), by="line")
    rows = {row.name: (row.calls, row.time, row.total) for row in found.rows}
    assert rows == {
        "model.py:3": (1, 330, 330),
        "model.py:4": (2, 66, 66),
        "train.py:9": (1, 11, 11),
        "train.py:8": (0, 0, 396),
        "(no line recorded)": (2, 5, 5),
    }


def test_a_line_that_calls_itself_counts_once() -> None:
    graph = graph_of([[1], []], names={1: "x"})
    graph = with_origins(graph, places={0: "a.py:3 f < a.py:3 f < a.py:9"})
    (called, outer, _) = times(profiled(graph, [7, -1], [3, -1]), by="line").rows
    assert (called.name, called.time, called.total) == ("a.py:3", 10, 10)
    assert (outer.name, outer.time, outer.total) == ("a.py:9", 0, 10)


def test_by_node_tells_where_each_is_from() -> None:
    row = times(capture(), by="node", top=1).rows[0]
    assert (row.name, row.node, row.variable) == ("addmm", 2, "hidden")
    assert str(row.place) == "model.py:3 in forward"
    assert row.module is not None
    assert row.module.path == "fc"


def test_kernels_decide_the_order_where_there_are_any() -> None:
    device = [0, 900, 10, -1, 0, -1]
    found = times(profiled(layers(), [1] * 6, [1] * 6, device=device))
    assert [row.name for row in found.rows][:2] == ["mul", "addmm"]
    assert found.device == 910


def test_node_times() -> None:
    assert capture().graph.node_times.tolist() == [11, 22, 330, 5, 44, -1]
    assert layers().node_times.tolist() == [-1] * 6


def test_what_cannot_be_asked() -> None:
    with pytest.raises(UsageError, match="unknown grouping 'modul'"):
        times(capture(), by="modul")
    with pytest.raises(UsageError, match="cannot show -1 rows"):
        times(capture(), top=-1)
    with pytest.raises(UsageError, match="has no times") as error:
        times(make_capture())
    assert error.value.hint == "agi profile train.py:loss takes one that has"


def test_the_library_gives_the_same() -> None:
    assert autograd_inspect.times(capture(), by="line", top=2) == times(capture(), by="line", top=2)


@given(
    st.lists(st.tuples(st.integers(-1, 10**12), st.integers(-1, 10**12)), min_size=6, max_size=6),
    st.lists(st.sampled_from([":Net", "a:A", "a.b:B", "a.b:B#2", ""]), min_size=6, max_size=6),
    st.sampled_from(TIME_GROUPINGS),
)
def test_groups_add_up_to_the_nodes(
    figures: list[tuple[int, int]], calls: list[str], by: str
) -> None:
    graph = with_origins(layers(), calls={i: call for i, call in enumerate(calls) if call})
    forward, backward = ([one[which] for one in figures] for which in (0, 1))
    found = times(profiled(graph, forward, backward), by=by)
    assert sum(row.forward for row in found.rows) == sum(max(one, 0) for one in forward)
    assert sum(row.backward for row in found.rows) == sum(max(one, 0) for one in backward)
    assert sum(row.calls for row in found.rows) == 6
    assert all(row.time <= row.total <= found.time for row in found.rows)


def test_stacks_run_from_module_over_line_to_operation() -> None:
    forward, backward = stacks(capture())
    # By when they began: `pow` did before `addmm`.
    assert [sample.stack[-1].name for sample in forward.samples] == [
        *("pow", "addmm", "mul", "sum", "randn", "copy_")
    ]
    assert forward.samples[1].stack == (
        Frame("model (Net)"),
        Frame("model.fc (Linear)"),
        Frame("model.py:3", "model.py", 3),
        Frame("addmm", "model.py", 3),
    )
    assert sum(sample.time for sample in forward.samples) == 370 + 88
    assert [sample.time for sample in backward.samples] == [1, 2, 30, 5, 4]
    assert backward.samples[3].stack == (Frame("AccumulateGrad fc.weight"),)
