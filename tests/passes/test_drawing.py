"""What is drawn of a graph, and that it adds up."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph, with_origins
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import WriteTable
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Place, Stack
from autograd_inspect.model.tables import (
    EdgeTable,
    Kind,
    OutputTable,
    SavedRole,
    SavedState,
    SavedTable,
    Spec,
    empty,
)
from autograd_inspect.model.view import Role, View
from autograd_inspect.passes.drawing import draw


@st.composite
def graphs(draw_from: st.DrawFn) -> Graph:
    """Random graphs in which every node is reached from node 0 and comes after the first user."""
    count = draw_from(st.integers(1, 40))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        edges[draw_from(st.integers(0, node - 1))].append(node)
    for _ in range(draw_from(st.integers(0, 30))):
        source = draw_from(st.integers(0, count - 1))
        if edges[source] and source < count - 1:
            edges[source].append(draw_from(st.integers(source + 1, count - 1)))
    return graph_of(edges)


def hidden_count(view: View) -> int:
    titles = [view.faces[face].title for face in view.face]
    return sum(
        int(title.split()[0].replace(",", ""))
        for title in titles
        if re.fullmatch(r"[\d,]+ more nodes?", title)
    )


def several_outputs(graph: Graph, outputs: int) -> Graph:
    """Give every node this many outputs; edges take the first, second, ... in turn."""
    count = len(graph.edge_table.target)
    return replace(
        graph,
        output_table=OutputTable(
            start=np.arange(len(graph) + 1, dtype=np.int64) * outputs,
            spec=np.zeros(len(graph) * outputs, np.int32),
            arrived=np.full(len(graph) * outputs, -1, np.int32),
        ),
        edge_table=EdgeTable(
            graph.edge_table.start,
            graph.edge_table.target,
            (np.arange(count) % outputs).astype(np.int32),
            graph.edge_table.passed,
        ),
    )


def test_leaves_and_roots_go_by_their_names() -> None:
    view = draw(make_graph("loss>mul mul>a mul>b"))
    assert [view.heading(box) for box in range(4)] == ["loss", "mul", "a", "b"]
    assert view.lines(2) == ("AccumulateGrad [2, 3]",)
    roles = [view.faces[face].role for face in view.face]
    assert roles == [Role.ROOT, Role.OPERATION, Role.LEAF, Role.LEAF]


def test_boxes_that_look_alike_share_a_face() -> None:
    view = draw(graph_of([[i + 1] for i in range(999)] + [[]]))
    assert len(view) == 1000
    assert len(view.faces) == 3


def test_undefined_edges_are_not_drawn() -> None:
    view = draw(graph_of([[1, -1, 2], [], []]))
    assert list(zip(view.source, view.target, strict=True)) == [(0, 1), (0, 2)]


def test_two_arrows_between_two_boxes_say_which_input_they_are() -> None:
    view = draw(make_graph("mul>x mul>x"))
    assert view.label == ["input 0", "input 1"]
    assert draw(make_graph("mul>x mul>y")).label == ["", ""]


def test_arrows_to_a_node_with_several_outputs_say_which() -> None:
    view = draw(several_outputs(make_graph("cat>split cat>split split>x"), 2))
    assert view.label[:2] == ["output 0", "output 1"]
    assert view.lines(1) == ("[2, 3] \N{MULTIPLICATION SIGN}2",)


def test_a_spec_is_shown_with_what_is_unusual_of_it() -> None:
    graph = replace(make_graph("mul>x"), specs=(Spec((4,), "bfloat16", "cuda:1"),))
    assert draw(graph).lines(1) == ("AccumulateGrad [4] bfloat16 cuda:1",)


def test_scalars_are_shown_unless_they_say_nothing() -> None:
    attributes = '{"exponent": 2, "dim": 0, "alpha": 1, "keepdim": false, "sizes": [1, 2]}'
    view = draw(graph_of([[1], [2], []], attributes=attributes))
    assert view.lines(1) == ("[2, 3]", "exponent=2, dim=0")
    assert "sizes = [1, 2]" in view.tip(1)


def test_the_tip_says_what_a_node_is_and_where() -> None:
    view = draw(make_graph("loss>mul mul>a"))
    assert view.tip(1) == (
        "MulBackward0 (operation)",
        "output: [2, 3] float32 cpu",
        "node 1, sequence number 2",
    )
    assert view.tip(2)[0] == "a"
    assert "requires_grad: True" in view.tip(2)


def test_a_heading_says_what_ran_and_the_variable_it_went_to() -> None:
    graph = with_origins(make_graph("loss>mul mul>a"), variables={0: "total", 1: "h"})
    view = draw(graph)
    assert [view.heading(box) for box in range(3)] == ["loss", "h = mul", "a"]
    assert view.tip(1)[:2] == ("h = mul", "MulBackward0 (operation)")
    assert view.tip(0)[:2] == ("loss", "LossBackward0 (operation)")


def test_the_line_stands_below_and_the_stack_on_hovering() -> None:
    lines = {1: "pkg/model.py:12 forward < train.py:30 main", 2: "pkg/model.py:12 forward"}
    view = draw(with_origins(make_graph("loss>mul mul>a"), places=lines))
    assert view.lines(1) == ("[2, 3]", "model.py:12")
    assert view.tip(1)[2:4] == (
        "made at pkg/model.py:12 in forward",
        "called from train.py:30 in main",
    )
    # A leaf was not made there: it was used there first.
    assert view.lines(2) == ("AccumulateGrad [2, 3]",)
    assert "first used at pkg/model.py:12 in forward" in view.tip(2)
    assert view.lines(0) == ("loss [2, 3]",)


def test_the_line_of_a_library_is_told() -> None:
    graph = with_origins(make_graph("loss>mul mul>a"), places={1: "train.py:3"})
    library = Place("lib/functional.py", 99, "norm")
    graph = replace(graph, places=(*graph.places, library), stacks=(Stack((0,), 1),))
    assert draw(graph).tip(1)[2:4] == (
        "inside lib/functional.py:99 in norm",
        "made at train.py:3",
    )


def test_boxes_from_the_same_line_share_an_origin() -> None:
    graph = graph_of([[i + 1] for i in range(999)] + [[]])
    graph = with_origins(graph, places={i: f"m.py:{i % 3 + 1}" for i in range(999)})
    view = draw(graph)
    assert len(view.origins) == 4
    assert len(view.faces) == 3
    assert [view.lines(box)[-1] for box in (0, 1, 2, 3)] == ["m.py:1", "m.py:2", "m.py:3", "m.py:1"]


def saving(graph: Graph, *rows: dict[str, int]) -> Graph:
    """Let nodes save tensors: rows of `SavedTable` as far as they are not the usual."""
    usual = {
        "node": 1, "name": 0, "spec": 0, "bytes": 24, "storage": -1, "leaf": -1,
        "state": SavedState.HELD, "role": SavedRole.UNKNOWN, "origin": -1, "packer": -1,
        "stale": 0, "write": -1,
    }  # fmt: skip
    dtypes = {one: getattr(empty(SavedTable), one).dtype for one in usual}
    columns = {
        one: np.array([(usual | row)[one] for row in rows], dtype) for one, dtype in dtypes.items()
    }
    names = ("self", "other", "checkpoint", "Tensor.add_", *graph.names)
    return replace(graph, saved_table=SavedTable(**columns), names=names)


def saved_lines(graph: Graph, box: int = 1) -> list[str]:
    lines = draw(graph).tip(box)
    return [line for line in lines if line.startswith(("saves", "holds"))]


def test_what_a_node_saves_is_told_with_its_bytes() -> None:
    graph = saving(
        graph_of([[1], [2], []]),
        {"storage": 5, "role": SavedRole.PARAMETER},
        {"name": 1, "bytes": 1000, "storage": 6, "role": SavedRole.ACTIVATION},
        {"name": 1, "bytes": 1000, "storage": 6},
        {"spec": -1, "state": SavedState.PACKED, "packer": 2, "bytes": 0},
        {"spec": -1, "state": SavedState.FREED, "bytes": 500},
    )
    assert saved_lines(graph) == [
        "saves self: [2, 3] float32 cpu, 24 bytes, parameter",
        "saves other: [2, 3] float32 cpu, 1,000 bytes, activation",
        "saves other: [2, 3] float32 cpu, 1,000 bytes",
        "saves self: packed by checkpoint",
        "saves self: freed",
        "holds 1,024 bytes in all",  # a storage counts once
    ]


def test_bytes_are_summed_over_more_tensors_than_are_listed() -> None:
    rows = [{"bytes": 2**40, "storage": number} for number in range(9)]
    lines = saved_lines(saving(graph_of([[1], [2], []]), *rows))
    assert lines[6:] == ["saves 3 more tensors", f"holds {9 * 2**40:,} bytes in all"]


def test_what_was_overwritten_is_told_with_the_line_that_did_it() -> None:
    graph = with_origins(graph_of([[1], [2], []]), places={1: "model.py:16 forward"})
    graph = saving(graph, {"stale": 1, "write": 0}, {"stale": 1})
    write = WriteTable(*(np.array([value], np.int32) for value in (3, 0, -1)), np.array([2]))
    lines = saved_lines(replace(graph, write_table=write))
    assert lines[0].endswith("24 bytes, overwritten by Tensor.add_ at model.py:16")
    assert lines[1].endswith("24 bytes, overwritten in place")


@pytest.mark.parametrize(
    "changed", [{"bytes": 48}, {"role": SavedRole.INPUT}, {"packer": 2}, {"stale": 1}, {"name": 1}]
)
def test_boxes_that_save_other_things_do_not_share_a_face(changed: dict[str, int]) -> None:
    graph = saving(graph_of([[1], [2], [3], []]), {"node": 1}, {"node": 2, **changed})
    assert len({draw(graph).face[box] for box in (1, 2)}) == 2
    same = saving(graph_of([[1], [2], [3], []]), {"node": 1}, {"node": 2, "storage": 7})
    assert len({draw(same).face[box] for box in (1, 2)}) == 1


def test_other_names_of_a_tied_parameter_are_told() -> None:
    graph = make_graph("loss>a loss>b")
    leaves = replace(graph.leaf_table, aliases=np.array([len(graph.names), -1], np.int32))
    view = draw(
        replace(graph, leaf_table=leaves, names=(*graph.names, "head.a, tail.a")), limit=None
    )
    assert "also named head.a, tail.a" in view.tip(1)
    assert not [line for line in view.tip(2) if "also" in line]


def test_every_kind_of_node_has_a_role() -> None:
    graph = graph_of([[i + 1] for i in range(len(Kind))] + [[]])
    kinds = np.array([Kind.OPERATION, *Kind], np.uint8)
    graph = replace(graph, node_table=replace(graph.node_table, kind=kinds))
    view = draw(graph)
    roles = {Kind(kinds[box]): view.faces[view.face[box]].role for box in range(1, len(view))}
    assert roles[Kind.INPLACE] is Role.VIEW
    assert {roles[kind] for kind in (Kind.COMPILED, Kind.CHECKPOINT, Kind.HOOK)} == {Role.CUSTOM}
    assert "MulBackward0 (checkpoint)" in {tip for face in view.faces for tip in face.tip}


def test_the_norm_of_the_gradient_stands_below_its_leaf() -> None:
    capture = make_capture("loss>a loss>b")
    table = replace(
        capture.gradients.table,
        node=np.array([1, 2], np.int32),
        reason=np.array([Reason.ARRIVED, Reason.LEFT_BY_EARLIER], np.uint8),
    )
    gradients = replace(capture.gradients, table=table)
    view = draw(Capture(capture.graph, gradients, capture.about))
    assert view.remark == ["", "grad norm 1", ""]


def test_the_title_says_what_it_is_and_how_large() -> None:
    assert draw(make_capture()).title == "train.py:loss · 4 nodes, 3 edges, 2 leaves"


def test_what_is_partial_or_failed_is_said() -> None:
    notes = draw(make_capture(partial="interrupted", error="NaN")).notes
    assert notes == ("partial: interrupted", "backward raised: NaN")


@given(graphs(), st.integers(1, 45))
def test_shown_and_hidden_make_up_the_graph(graph: Graph, limit: int) -> None:
    view = draw(graph, limit=limit)
    shown = [node for node in view.node if node >= 0]
    assert len(shown) == len(set(shown)) == min(limit, len(graph))
    assert len(shown) + hidden_count(view) == len(graph)
    said = [note for note in view.notes if "nodes shown" in note]
    if limit < len(graph):
        assert said == [
            f"{limit:,} of {len(graph):,} nodes shown; the other boxes say how many they stand for"
        ]
    else:
        assert not said


@given(graphs(), st.integers(1, 45))
def test_every_box_hangs_on_another_and_stand_ins_lead_nowhere(graph: Graph, limit: int) -> None:
    view = draw(graph, limit=limit)
    assert set(view.target) == set(range(1, len(view)))
    more = {box for box in range(len(view)) if view.node[box] < 0}
    assert not more & set(view.source)


@given(graphs())
def test_all_edges_are_drawn_whatever_is_split(graph: Graph) -> None:
    for split in (False, True):
        view = draw(graph, split_leaves=split)
        pairs = [
            (view.node[a], view.node[b]) for a, b in zip(view.source, view.target, strict=True)
        ]
        edges = [(n.index, e.target.index) for n in graph.nodes for e in n.edges if e.target]
        assert pairs == edges


def test_a_limit_takes_the_leaves_of_shown_nodes_along() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w{i}" for i in range(50))
    view = draw(make_graph(chain), limit=21)
    named = [view.heading(box) for box in range(len(view))]
    assert sum(name.startswith("w") for name in named) == 10


def test_seventy_thousand_hidden_branches_become_one_box() -> None:
    count = 70_001
    view = draw(graph_of([list(range(1, count)), *([] for _ in range(count - 1))]), limit=10)
    assert hidden_count(view) == count - 10
    assert len(view) == 11


def test_a_leaf_used_all_over_is_drawn_once_per_user() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w" for i in range(8))
    graph = make_graph(chain)
    view = draw(graph, split_leaves=True)
    names = [view.heading(box) for box in range(len(view))]
    assert names.count("w \N{MULTIPLICATION SIGN}8") == 8
    assert len(view) == len(graph) + 7
    assert view.notes == (
        "1 leaf is drawn once per user: \N{MULTIPLICATION SIGN}N on a box says how often",
    )
    assert len(set(view.box_keys())) == len(view)
    assert "w" in [draw(graph).heading(box) for box in range(len(graph))]


def test_near_users_share_their_leaf() -> None:
    graph = make_graph("add>m1 add>m2 add>m3 add>m4 m1>w m2>w m3>w m4>w")
    assert len(draw(graph, split_leaves=True)) == len(graph)


def test_outputs_of_several_shapes_are_listed_and_cut() -> None:
    graph = several_outputs(make_graph("split>x"), 5)
    specs = tuple(Spec((size,), "float32", "cpu") for size in range(5))
    table = replace(graph.output_table, spec=np.arange(10, dtype=np.int32) % 5)
    view = draw(replace(graph, specs=specs, output_table=table))
    assert view.lines(0) == ("split [0]", "[1]", "and 3 other shapes")


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_shows_the_root(limit: int) -> None:
    assert draw(make_graph("a>b"), limit=limit).node[0] == 0
