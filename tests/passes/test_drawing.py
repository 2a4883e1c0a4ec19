"""What is drawn of a graph, and that it adds up."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import EdgeTable, Kind, OutputTable, Spec
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
        ),
        edge_table=EdgeTable(
            graph.edge_table.start,
            graph.edge_table.target,
            (np.arange(count) % outputs).astype(np.int32),
        ),
    )


def test_leaves_and_roots_go_by_their_names() -> None:
    view = draw(make_graph("loss>mul mul>a mul>b"), limit=None)
    assert [view.heading(box) for box in range(4)] == ["loss", "MulBackward0", "a", "b"]
    assert view.lines(2) == ("AccumulateGrad [2, 3]",)
    roles = [view.faces[face].role for face in view.face]
    assert roles == [Role.ROOT, Role.OPERATION, Role.LEAF, Role.LEAF]


def test_boxes_that_look_alike_share_a_face() -> None:
    view = draw(graph_of([[i + 1] for i in range(999)] + [[]]), limit=None)
    assert len(view) == 1000
    assert len(view.faces) == 3


def test_undefined_edges_are_not_drawn() -> None:
    view = draw(graph_of([[1, -1, 2], [], []]), limit=None)
    assert list(zip(view.source, view.target, strict=True)) == [(0, 1), (0, 2)]


def test_two_arrows_between_two_boxes_say_which_input_they_are() -> None:
    view = draw(make_graph("mul>x mul>x"), limit=None)
    assert view.label == ["input 0", "input 1"]
    assert draw(make_graph("mul>x mul>y"), limit=None).label == ["", ""]


def test_arrows_to_a_node_with_several_outputs_say_which() -> None:
    view = draw(several_outputs(make_graph("cat>split cat>split split>x"), 2), limit=None)
    assert view.label[:2] == ["output 0", "output 1"]
    assert view.lines(1) == ("[2, 3] \N{MULTIPLICATION SIGN}2",)


def test_a_spec_is_shown_with_what_is_unusual_of_it() -> None:
    graph = replace(make_graph("mul>x"), specs=(Spec((4,), "bfloat16", "cuda:1"),))
    assert draw(graph, limit=None).lines(1) == ("AccumulateGrad [4] bfloat16 cuda:1",)


def test_scalars_are_shown_unless_they_say_nothing() -> None:
    attributes = '{"exponent": 2, "dim": 0, "alpha": 1, "keepdim": false, "sizes": [1, 2]}'
    view = draw(graph_of([[1], [2], []], attributes=attributes), limit=None)
    assert view.lines(1) == ("[2, 3]", "exponent=2, dim=0")
    assert "sizes = [1, 2]" in view.tip(1)


def test_the_tip_says_what_a_node_is_and_where() -> None:
    view = draw(make_graph("loss>mul mul>a"), limit=None)
    assert view.tip(1) == (
        "MulBackward0 (operation)",
        "output: [2, 3] float32 cpu",
        "node 1, sequence number 2",
    )
    assert view.tip(2)[0] == "a"
    assert "requires_grad: True" in view.tip(2)


def test_every_kind_of_node_has_a_role() -> None:
    graph = graph_of([[i + 1] for i in range(len(Kind))] + [[]])
    kinds = np.array([Kind.OPERATION, *Kind], np.uint8)
    graph = replace(graph, node_table=replace(graph.node_table, kind=kinds))
    view = draw(graph, limit=None)
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
    view = draw(Capture(capture.graph, gradients, capture.about), limit=None)
    assert view.remark == ["", "grad norm 1", ""]


def test_the_title_says_what_it_is_and_how_large() -> None:
    assert draw(make_capture(), limit=None).title == "train.py:loss · 4 nodes, 3 edges, 2 leaves"


def test_what_is_partial_or_failed_is_said() -> None:
    notes = draw(make_capture(partial="interrupted", error="NaN"), limit=None).notes
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
            f"{limit:,} of {len(graph):,} nodes shown, nearest the root; --all draws every one"
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
        view = draw(graph, limit=None, split_leaves=split)
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
    view = draw(graph, limit=None, split_leaves=True)
    names = [view.heading(box) for box in range(len(view))]
    assert names.count("w \N{MULTIPLICATION SIGN}8") == 8
    assert len(view) == len(graph) + 7
    assert view.notes == (
        "1 leaf is drawn once per user: \N{MULTIPLICATION SIGN}N on a box says how often",
    )
    assert len(set(view.box_keys())) == len(view)
    assert "w" in [draw(graph, limit=None).heading(box) for box in range(len(graph))]


def test_near_users_share_their_leaf() -> None:
    graph = make_graph("add>m1 add>m2 add>m3 add>m4 m1>w m2>w m3>w m4>w")
    assert len(draw(graph, limit=None, split_leaves=True)) == len(graph)


def test_outputs_of_several_shapes_are_listed_and_cut() -> None:
    graph = several_outputs(make_graph("split>x"), 5)
    specs = tuple(Spec((size,), "float32", "cpu") for size in range(5))
    table = replace(graph.output_table, spec=np.arange(10, dtype=np.int32) % 5)
    view = draw(replace(graph, specs=specs, output_table=table), limit=None)
    assert view.lines(0) == ("SplitBackward0 [0]", "[1]", "and 3 other shapes")


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_shows_the_root(limit: int) -> None:
    assert draw(make_graph("a>b"), limit=limit).node[0] == 0
