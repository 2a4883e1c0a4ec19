"""Summing up saved tensors: by hand, and that the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, with_origins
from hypothesis import given
from hypothesis import strategies as st

import autograd_inspect
from autograd_inspect.analyses.memory import memory
from autograd_inspect.analyses.words import GROUPINGS
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.memory import Held, Memory
from autograd_inspect.model.tables import Kind, SavedRole, SavedState, SavedTable, Spec

PARAMETER, BUFFER = SavedRole.PARAMETER, SavedRole.BUFFER
INPUT, ACTIVATION, UNKNOWN = SavedRole.INPUT, SavedRole.ACTIVATION, SavedRole.UNKNOWN
PARTS = ("parameters", "buffers", "inputs", "activations", "other")

Row = tuple[int, str, int, int, SavedRole]
"""Node, name, storage, bytes, role."""


def saving(graph: Graph, rows: Sequence[Row], **columns: Sequence[int]) -> Graph:
    """Give a graph whose nodes keep these tensors, sorted by node; other columns as given."""
    names = list(dict.fromkeys([*graph.names, *(row[1] for row in rows)]))
    nodes, _, storages, sizes, roles = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    table = SavedTable(
        node=np.array(nodes, np.int32),
        name=np.array([names.index(row[1]) for row in rows], np.int32),
        spec=np.zeros(len(rows), np.int32),
        bytes=np.array(sizes, np.int64),
        storage=np.array(storages, np.int32),
        leaf=np.full(len(rows), -1, np.int32),
        state=np.full(len(rows), SavedState.HELD, np.uint8),
        role=np.array(roles, np.uint8),
        origin=np.full(len(rows), -1, np.int32),
        packer=np.full(len(rows), -1, np.int32),
        stale=np.zeros(len(rows), np.bool_),
        write=np.full(len(rows), -1, np.int32),
    )
    changed = {name: np.array(c, getattr(table, name).dtype) for name, c in columns.items()}
    return replace(graph, saved_table=replace(table, **changed), names=tuple(names))


def chain() -> Graph:
    """sum <- mul <- relu <- addmm <- weight, the addmm being first in forward order."""
    graph = graph_of(
        [[1], [2], [3], [4], []],
        ops=["SumBackward0", "MulBackward1", "ReluBackward0", "AddmmBackward0", "AccumulateGrad"],
        names={4: "fc.weight"},
    )
    return with_origins(
        graph,
        places={0: "train.py:9", 1: "a/net.py:5 forward", 2: "a/net.py:5 act", 3: "b/net.py:5"},
        calls={2: "fc.act:ReLU", 3: "fc:Linear", 1: "fc:Linear"},
        variables={2: "hidden"},
    )


def sample() -> Capture:
    """Seven saved tensors in five storages: 100 bytes of hidden are kept by two nodes."""
    graph = saving(
        chain(),
        [
            (1, "self", 0, 100, ACTIVATION),
            (1, "other", 1, 8, INPUT),
            (2, "result", 0, 100, ACTIVATION),
            (3, "mat1", 2, 64, INPUT),
            (3, "mat2", 3, 48, PARAMETER),
            (3, "again", 3, 48, PARAMETER),
            (3, "running", 4, 16, BUFFER),
        ],
        origin=[2, -1, 2, -1, -1, -1, -1],
        leaf=[-1, -1, -1, -1, 0, 0, -1],
    )
    return make_capture(graph, parameters=1000, gradients=600)


def rows(found: Memory) -> dict[str, tuple[int, int, int]]:
    return {row.name: (row.tensors, row.total, row.unique) for row in found.rows}


def test_totals_by_hand() -> None:
    found = memory(sample())
    assert (found.tensors, found.storages, found.groups) == (7, 5, 3)
    assert (found.total, found.unique) == (384, 236)
    assert [getattr(found, part) for part in PARTS] == [48, 16, 72, 100, 0]
    assert (found.weights, found.grads) == (1000, 600)
    assert (found.freed, found.unseen, found.packed, found.omitted) == (0, 0, (), "")


def test_a_shared_storage_counts_where_it_was_saved_first_in_forward_order() -> None:
    # `relu` ran before `mul`, though its node comes later in the graph.
    assert rows(memory(sample())) == {
        "addmm": (4, 176, 128),
        "relu": (1, 100, 100),
        "mul": (2, 108, 8),
    }


def test_groups_tell_how_many_nodes_and_of_what() -> None:
    first = memory(sample()).rows[0]
    assert (first.name, first.nodes, first.tensors) == ("addmm", 1, 4)
    assert [getattr(first, part) for part in PARTS] == [48, 16, 64, 0, 0]
    assert memory(sample()).share(first) == 128 / 236


def test_ops_of_one_forward_name_are_one() -> None:
    graph = graph_of([[1], [2], []], ops=["MulBackward0", "MulBackward1", "AccumulateGrad"])
    graph = saving(graph, [(0, "self", 0, 4, INPUT), (1, "self", 1, 4, INPUT)])
    (row,) = memory(make_capture(graph)).rows
    assert (row.name, row.tensors, row.nodes) == ("mul", 2, 2)


def test_by_module_the_innermost_counts() -> None:
    found = memory(sample(), by="module")
    assert rows(found) == {"fc": (6, 284, 136), "fc.act": (1, 100, 100)}
    assert [row.module.cls for row in found.rows if row.module] == ["Linear", "ReLU"]


def test_by_line_two_functions_of_one_line_are_one_and_two_files_are_two() -> None:
    found = memory(sample(), by="line")
    assert rows(found) == {"b/net.py:5": (4, 176, 128), "a/net.py:5": (3, 208, 108)}
    assert [row.place.file for row in found.rows if row.place] == ["b/net.py", "a/net.py"]


def test_what_was_not_recorded_is_said() -> None:
    graph = replace(sample().graph, node_table=graph_of([[1], [2], [3], [4], []]).node_table)
    capture = make_capture(graph)
    assert rows(memory(capture, by="line")) == {"(no line recorded)": (7, 384, 236)}
    assert rows(memory(capture, by="module")) == {"(outside modules)": (7, 384, 236)}


def test_by_tensor_each_storage_has_a_name() -> None:
    found = memory(sample(), by="tensor")
    assert rows(found) == {
        "hidden": (2, 200, 100),
        "addmm.mat1 #3": (1, 64, 64),
        "fc.weight": (2, 96, 48),
        "addmm.running #3": (1, 16, 16),
        "mul.other #1": (1, 8, 8),
    }
    hidden, given, weight, *_ = found.rows
    assert (hidden.nodes, hidden.node, hidden.role) == (2, 2, ACTIVATION)
    assert (given.node, given.role) == (-1, INPUT)
    assert (weight.nodes, weight.role, str(weight.spec)) == (1, PARAMETER, "[2, 3]")


def test_a_tensor_without_a_variable_is_named_by_what_made_it_behind_all_views() -> None:
    graph = graph_of(
        [[1], [2], [3], [4], []],
        ops=["MulBackward0", "SplitBackward0", "ViewBackward0", "AddmmBackward0", "AccumulateGrad"],
    )
    kinds = np.array([Kind.OPERATION, Kind.VIEW, Kind.VIEW, Kind.OPERATION, Kind.LEAF], np.uint8)
    graph = replace(graph, node_table=replace(graph.node_table, kind=kinds))
    rows_ = [(0, "self", 0, 24, ACTIVATION)]
    whole = memory(make_capture(saving(graph, rows_, origin=[1])), by="tensor").rows[0]
    assert (whole.name, whole.node) == ("addmm #3", 3)
    named = with_origins(graph, variables={1: "query"})
    assert memory(make_capture(saving(named, rows_, origin=[1])), by="tensor").rows[0].name == (
        "query"
    )
    # Of a part, the variable names less than is held.
    part = replace(saving(named, rows_, origin=[1], spec=[1]))
    part = replace(part, specs=(*part.specs, Spec((2, 1), "float32", "cpu")))
    row = memory(make_capture(part), by="tensor").rows[0]
    assert (row.name, str(row.spec)) == ("addmm #3", "[2, 3]")


def test_another_result_of_a_node_is_not_taken_for_its_output() -> None:
    graph = with_origins(
        graph_of([[1], []], ops=["NllLossBackward0", "AccumulateGrad"]), variables={0: "loss"}
    )
    saved = [(0, "total_weight", 0, 4, ACTIVATION), (0, "result", 1, 4, ACTIVATION)]
    found = memory(make_capture(saving(graph, saved, origin=[0, 0])), by="tensor")
    assert [row.name for row in found.rows] == ["nll_loss.total_weight #0", "loss"]


def test_tensors_of_one_name_are_told_apart() -> None:
    graph = with_origins(
        graph_of([[1], [2], []], ops=["SinBackward0", "SinBackward0", "AccumulateGrad"]),
        variables={0: "x", 1: "x"},
    )
    saved = [(0, "self", 0, 4, ACTIVATION), (0, "result", 1, 8, ACTIVATION)]
    found = memory(make_capture(saving(graph, saved, origin=[1, 0])), by="tensor")
    assert [row.name for row in found.rows] == ["x #0", "x #1"]


def test_top_takes_the_largest_and_leaves_the_sums() -> None:
    every, some = memory(sample(), by="tensor"), memory(sample(), by="tensor", top=2)
    assert some.rows == every.rows[:2]
    assert (some.groups, some.unique) == (5, 236)
    assert memory(sample(), top=0).rows == ()
    with pytest.raises(UsageError):
        memory(sample(), top=-1)


def test_a_grouping_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        memory(sample(), by="modul")
    assert "did you mean module?" in caught.value.hint
    assert all(word in caught.value.hint for word in GROUPINGS)


def test_freed_tensors_hold_nothing() -> None:
    graph = sample().graph
    freed = np.full(7, SavedState.FREED, np.uint8)
    capture = make_capture(
        replace(graph, saved_table=replace(graph.saved_table, state=freed)), parameters=5
    )
    found = memory(capture)
    assert (found.freed, found.tensors, found.unique, found.rows) == (7, 0, 0, ())


def test_packed_tensors_are_counted_by_hook() -> None:
    graph = chain()
    packed = [
        (1, "self", -1, 0, UNKNOWN),
        (2, "result", 0, 100, ACTIVATION),
        (3, "mat1", 0, 100, UNKNOWN),
        (3, "mat2", 1, 48, UNKNOWN),
    ]
    graph = saving(graph, packed, state=[SavedState.PACKED] * 4)
    names = (*graph.names, "checkpoint", "save_on_cpu")
    packer = np.array([len(names) - 2, *[len(names) - 1] * 3], np.int32)
    graph = replace(graph, names=names, saved_table=replace(graph.saved_table, packer=packer))
    found = memory(make_capture(graph), by="tensor")
    assert [(one.packer, one.tensors, one.held) for one in found.packed] == [
        ("checkpoint", 1, 0),
        ("save_on_cpu", 3, 148),
    ]
    assert rows(found)["packed by checkpoint"] == (1, 0, 0)
    # The first in the storage says what it is: `mat1` was saved before `result`.
    assert (found.tensors, found.unique, found.other, found.activations) == (4, 148, 148, 0)


def test_writes_to_views_may_keep_more() -> None:
    graph = graph_of([[1], []], ops=["CopySlices", "AccumulateGrad"])
    kinds = np.array([Kind.INPLACE, Kind.LEAF], np.uint8)
    graph = replace(graph, node_table=replace(graph.node_table, kind=kinds))
    assert memory(make_capture(graph)).unseen == 1


def test_a_capture_without_saved_tensors_says_why() -> None:
    why = "saved tensors (torch 2.12 or newer shows them)"
    assert memory(make_capture(omitted=(why,))).omitted == why


@pytest.mark.parametrize("by", GROUPINGS)
def test_an_empty_graph_has_no_rows(by: str) -> None:
    found = memory(make_capture(), by=by)
    assert (found.rows, found.groups, found.unique, found.storages) == ((), 0, 0, 0)
    assert found.share(Held("x", 0, 0, 0, 0, 0, 0, 0, 0, 0)) == 0


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw graphs whose nodes keep tensors of any kind, sharing storages."""
    count = draw(st.integers(1, 8))
    names = ["Mul", "Addmm", "Relu", "View"]
    ops = [f"{draw(st.sampled_from(names))}Backward0" for _ in range(count)]
    graph = graph_of([[i + 1] for i in range(count)] + [[]], ops=[*ops, "AccumulateGrad"])
    some = st.sets(st.integers(0, count - 1))
    graph = with_origins(
        graph,
        places={node: f"net.py:{node % 3 + 1}" for node in draw(some)},
        calls={node: f"layers.{node % 2}:Linear" for node in draw(some)},
        variables=dict.fromkeys(draw(some), "x"),
    )
    kind = np.where(np.isin(range(count + 1), list(draw(some))), Kind.VIEW, graph.node_table.kind)
    sequence = np.array([*draw(st.permutations(range(count))), -1], np.int64)
    nodes = replace(graph.node_table, kind=kind.astype(np.uint8), sequence=sequence)
    roles = draw(st.lists(st.sampled_from(list(SavedRole)), min_size=5, max_size=5))
    rows_, states, origins = [], [], []
    for node in sorted(draw(st.lists(st.integers(0, count - 1), max_size=20))):
        storage = draw(st.integers(-1, 4))
        size, role = (10**storage, roles[storage]) if storage >= 0 else (0, UNKNOWN)
        rows_.append((node, draw(st.sampled_from("ab")), storage, size, role))
        states.append(draw(st.sampled_from(list(SavedState))))
        origins.append(draw(st.integers(-1, count - 1)))
    return saving(replace(graph, node_table=nodes), rows_, state=states, origin=origins)


@given(graphs())
def test_every_grouping_adds_up_to_the_same(graph: Graph) -> None:
    table = graph.saved_table
    there = table.state != SavedState.FREED
    storages = dict(zip(table.storage[there].tolist(), table.bytes[there].tolist(), strict=True))
    storages.pop(-1, None)
    for by in GROUPINGS:
        found = memory(make_capture(graph), by=by)
        assert found.unique == sum(storages.values())
        assert found.storages == len(storages)
        assert found.total == int(table.bytes[there].sum())
        assert found.tensors == int(there.sum())
        for figure in ("tensors", "total", "unique", *PARTS):
            assert sum(getattr(row, figure) for row in found.rows) == getattr(found, figure)
        for row in found.rows:
            assert row.unique == sum(getattr(row, part) for part in PARTS)
            assert 1 <= row.nodes <= row.tensors
        assert found.groups == len(found.rows)
        assert [row.unique for row in found.rows] == sorted(
            (row.unique for row in found.rows), reverse=True
        )


@given(graphs())
def test_the_first_to_save_a_storage_is_the_one_it_counts_for(graph: Graph) -> None:
    table = graph.saved_table
    first: dict[int, tuple[int, str]] = {}
    for row in np.flatnonzero(table.state != SavedState.FREED).tolist():
        node = graph.node(int(table.node[row]))
        storage = int(table.storage[row])
        if storage >= 0:
            first[storage] = min(first.get(storage, (10**9, "")), (node.sequence, node.title))
    expected: dict[str, int] = {}
    for storage, (_, title) in first.items():
        expected[title] = expected.get(title, 0) + 10**storage
    found = {row.name: row.unique for row in memory(make_capture(graph)).rows if row.unique}
    assert found == expected


def test_the_library_sums_up_a_capture() -> None:
    capture = sample()
    shown = autograd_inspect.Capture(capture.graph, capture.gradients, capture.about)
    assert shown.memory(by="line", top=1) == autograd_inspect.memory(capture, by="line", top=1)
    assert len(shown.memory(by="line", top=1).rows) == 1
