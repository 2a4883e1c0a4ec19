"""Which boxes are framed together, and that frames never cut a way through the graph in two."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_graph
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module
from autograd_inspect.model.tables import CallTable
from autograd_inspect.model.view import View
from autograd_inspect.passes.drawing import draw
from autograd_inspect.passes.knots import knots_of


def called(graph: Graph, calls: list[tuple[str, int]], made: dict[int, int]) -> Graph:
    """Say which call made which nodes; a call is `path:Class`, and the call it was made in.

    The calls of a module are numbered as they come. `net/path:Class` is of another owner.
    """
    modules: dict[str, int] = {}
    numbers: dict[str, int] = {}
    rows = []
    for name, parent in calls:
        numbers[name] = numbers.get(name, 0) + 1
        rows.append((modules.setdefault(name, len(modules)), numbers[name], parent))
    call = np.full(len(graph), -1, np.int32)
    for node, row in made.items():
        call[node] = row
    table = np.array(rows, np.int32).reshape(len(rows), 3)
    return replace(
        graph,
        node_table=replace(graph.node_table, call=call),
        call_table=CallTable(table[:, 0], table[:, 1], table[:, 2]),
        modules=tuple(map(module, modules)),
    )


def module(name: str) -> Module:
    name, _, cls = name.partition(":")
    owner, _, path = name.rpartition("/")
    return Module(owner or "model", path, cls)


def grouped(view: View) -> dict[str, str]:
    """Give the label of the innermost frame around each box, by its heading; empty for none."""
    return {
        view.heading(box): view.groups[group].label if group >= 0 else ""
        for box, group in enumerate(view.group)
    }


def named(graph: Graph, names: dict[int, str]) -> Graph:
    """Give leaves other names, by node."""
    rows = [names.get(node, "") for node in graph.leaf_table.node.tolist()]
    name = np.array([i if row else -1 for i, row in enumerate(rows)], np.int32)
    roots = replace(graph.root_table, name=np.full(len(graph.root_table.name), -1, np.int32))
    return replace(
        graph,
        names=tuple(rows),
        leaf_table=replace(graph.leaf_table, name=name),
        root_table=roots,
    )


def test_a_frame_is_a_call_and_lies_in_the_call_it_was_made_in() -> None:
    graph = make_graph("loss>add add>mul mul>sin sin>cos cos>x")
    calls = [("/:GPT", -1), ("h.0:Block", 0), ("h.0.attn:Attention", 1)]
    view = draw(called(graph, calls, {1: 0, 2: 1, 3: 1, 4: 2}))
    assert [(group.label, group.parent) for group in view.groups] == [
        ("model (GPT)", -1),
        ("h.0 (Block)", 0),
    ]
    assert grouped(view) == {
        "loss": "", "add": "model (GPT)", "mul": "h.0 (Block)", "sin": "h.0 (Block)",
        "cos": "h.0 (Block)", "x": "",
    }  # fmt: skip
    assert view.lines(4) == ("[2, 3]", "h.0.attn (Attention)")
    assert view.lines(3) == ("[2, 3]",)
    assert "in model.h.0.attn (Attention)" in view.tip(4)
    assert view.groups[1].tip == ("model.h.0 (Block)", "made 3 nodes")


def test_a_module_called_several_times_has_a_frame_for_each() -> None:
    graph = make_graph("loss>a1 a1>b1 b1>a2 a2>b2 b2>a3 a3>x")
    calls = [("cell:Cell", -1)] * 3
    view = draw(called(graph, calls, {5: 0, 4: 1, 3: 1, 2: 2, 1: 2}))
    assert [group.label for group in view.groups] == [
        "cell (Cell), call 2 of 3",
        "cell (Cell), call 3 of 3",
    ]
    assert view.lines(5)[1:] == ("cell (Cell), call 1 of 3",)


def test_modules_of_two_models_are_told_apart() -> None:
    graph = make_graph("loss>a1 a1>b1 b1>a2 a2>b2 b2>x")
    calls = [("gen/out:Linear", -1), ("disc/out:Linear", -1)]
    view = draw(called(graph, calls, {4: 0, 3: 0, 2: 1, 1: 1}))
    assert [group.label for group in view.groups] == ["gen.out (Linear)", "disc.out (Linear)"]
    view = draw(
        called(graph, [("0:Linear", -1), ("out:Linear", -1)], {4: 0, 3: 0, 2: 1, 1: 1}), limit=None
    )
    assert [group.label for group in view.groups] == ["model.0 (Linear)", "out (Linear)"]
    view = draw(called(graph, [("/:Linear", -1)], {4: 0, 3: 0}))
    assert [group.label for group in view.groups] == ["model (Linear)"]


def test_around_one_box_there_is_no_frame_however_many_modules_it_is_in() -> None:
    graph = make_graph("loss>relu relu>mul mul>x")
    calls = [("act:Sequential", -1), ("act.0:ReLU", 0)]
    view = draw(called(graph, calls, {1: 1}))
    assert view.groups == ()
    assert view.group == [-1] * 4
    assert view.lines(1) == ("[2, 3]", "act.0 (ReLU)")


def test_a_frame_around_frames_only_stays() -> None:
    graph = make_graph("loss>a1 a1>b1 b1>c1 c1>d1 d1>x")
    calls = [("net:Sequential", -1), ("net.0:One", 0), ("net.1:Two", 0)]
    view = draw(called(graph, calls, {4: 1, 3: 1, 2: 2, 1: 2}))
    assert [group.parent for group in view.groups] == [-1, 0, 0]


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("model.fc.w", "fc (Linear)"),
        ("model.fc.deeper.w", "fc (Linear)"),
        ("model.w", "model (Net)"),
        ("model.fcx.w", "model (Net)"),
        ("other.w", "fc (Linear)"),
        ("params['w']", "fc (Linear)"),
        ("", "fc (Linear)"),
        ("w", ""),
    ],
)
def test_a_leaf_lies_in_the_frame_of_the_module_that_owns_it(name: str, frame: str) -> None:
    graph = make_graph("loss>mul mul>addmm addmm>t t>w addmm>sin sin>u")
    calls = [("/:Net", -1), ("fc:Linear", 0)]
    graph = called(named(graph, {4: name, 6: "y"}), calls, {1: 0, 2: 1, 3: 1, 5: 0})
    assert grouped(draw(graph))[name or "AccumulateGrad"] == frame


def test_a_leaf_used_in_two_calls_lies_around_both_and_drawn_per_user_in_each() -> None:
    chain = " ".join(f"m{i}>n{i} m{i}>w n{i}>m{i + 1}" for i in range(6))
    graph = make_graph(f"{chain} m6>x")
    steps = {node.index: node.op for node in graph.nodes}
    muls = [index for index, op in steps.items() if op == "MBackward0"]
    made = {index: 1 + place for place, index in enumerate(muls)}
    made |= {index + 1: 1 + place for place, index in enumerate(muls[:-1])}
    calls = [("/:Net", -1), *[("cell:Cell", 0)] * 7]
    names = {leaf.node.index: f"model.cell.{leaf.name}" for leaf in graph.leaves}
    graph = called(named(graph, names), calls, made)
    assert grouped(draw(graph))["model.cell.w"] == "model (Net)"
    view = draw(graph, split_leaves=True)
    frames = [
        view.groups[group].label
        for box, group in enumerate(view.group)
        if view.name[box].startswith("model.cell.w")
    ]
    assert sorted(frames) == [f"cell (Cell), call {number} of 7" for number in range(1, 7)]


def test_what_stands_for_hidden_nodes_lies_where_they_and_their_users_do() -> None:
    graph = make_graph("loss>a1 a1>b1 b1>c1 c1>d1 d1>e1 e1>x")
    calls = [("/:Net", -1), ("fc:Linear", 0), ("out:Linear", 0)]
    inner = called(graph, calls, {1: 2, 2: 2, 3: 2, 4: 2, 5: 2})
    assert grouped(draw(inner, limit=3))["4 more nodes"] == "out (Linear)"
    outer = called(graph, calls, {1: 2, 2: 2, 3: 1, 4: 1, 5: 1})
    assert grouped(draw(outer, limit=3))["4 more nodes"] == "model (Net)"
    outside = called(graph, calls, {1: 2, 2: 2})
    assert grouped(draw(outside, limit=3))["4 more nodes"] == ""


def test_nothing_recorded_makes_no_frames() -> None:
    view = draw(make_graph("loss>mul mul>a"))
    assert view.groups == ()
    assert view.group == [-1] * 3
    assert len(view.origins) == 1


def test_a_call_that_would_close_a_cycle_is_dissolved_and_no_other() -> None:
    """A node near the root says that it was made in the first of three layers."""
    graph = graph_of([[i + 1] for i in range(9)] + [[]])
    calls = [("/:Net", -1), ("a:A", 0), ("b:B", 0), ("c:C", 0), ("a.in:In", 1)]
    made = {8: 4, 7: 4, 6: 1, 5: 2, 4: 2, 3: 3, 2: 3, 1: 1}
    view = draw(called(graph, calls, made))
    labels = {group.label for group in view.groups}
    assert labels == {"model (Net)", "b (B)", "c (C)", "a.in (In)"}
    assert view.groups[view.group[1]].label == view.groups[view.group[6]].label == "model (Net)"
    assert "in model.a (A)" in view.tip(1)


def test_two_calls_that_hold_each_other_up_are_not_both_drawn() -> None:
    """Each by itself could be a box; both cannot."""
    graph = make_graph("loss>a1 loss>b1 a1>b2 b1>a2 b2>x a2>x")
    calls = [("a:A", -1), ("b:B", -1)]
    nodes = {node.op[0] + str(node.index): node.index for node in graph.nodes}
    made = {index: 0 if name[0] == "A" else 1 for name, index in nodes.items() if name[0] in "AB"}
    leaf = graph.leaves[0].node.index
    made.pop(leaf)
    graph = replace(graph, node_table=replace(graph.node_table, sequence=np.zeros(6, np.int64)))
    view = draw(called(graph, calls, made))
    assert len(view.groups) == 1


@st.composite
def graphs(draw_from: st.DrawFn) -> Graph:
    """Random graphs in which every node is reached from node 0 and comes after the first user."""
    count = draw_from(st.integers(2, 30))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        edges[draw_from(st.integers(0, node - 1))].append(node)
    for _ in range(draw_from(st.integers(0, 30))):
        source = draw_from(st.integers(0, count - 1))
        if edges[source] and source < count - 1:
            edges[source].append(draw_from(st.integers(source + 1, count - 1)))
    return graph_of(edges)


def has_cycle(arrows: set[tuple[str, str]]) -> bool:
    """Take away what nothing leads to until nothing is left, or only cycles are."""
    while arrows:
        led_to = {other for _, other in arrows}
        left = {(one, other) for one, other in arrows if one in led_to}
        if left == arrows:
            return True
        arrows = left
    return False


def chain_of(view: View, box: int) -> list[str]:
    """Give the frames around a box, outermost first, and the box."""
    found = [f"box {box}"]
    group = view.group[box]
    while group >= 0:
        found.append(f"frame {group}")
        group = view.groups[group].parent
    return found[::-1]


def side_by_side(view: View) -> set[tuple[str, str]]:
    """Give for each arrow what it leads from and to where both lie side by side."""
    arrows = set()
    for source, target in zip(view.source, view.target, strict=True):
        for one, other in zip(chain_of(view, source), chain_of(view, target), strict=False):
            if one != other:
                arrows.add((one, other))
                break
    return arrows


@given(graphs(), st.data())
def test_whatever_calls_are_said_to_have_made_frames_make_no_cycle(
    graph: Graph, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 6))
    calls = [(f"m{row}:M", data.draw(st.integers(-1, row - 1))) for row in range(count)]
    inner = [node.index for node in graph.nodes if node.edges]
    made = {node: data.draw(st.integers(-1, count - 1)) for node in inner}
    graph = called(graph, calls, made)
    limit = data.draw(st.sampled_from([None, 5, 12]))
    view = draw(graph, limit=limit, split_leaves=data.draw(st.booleans()))
    assert not has_cycle(side_by_side(view))
    of_call = [{f"m{row}"} for row in range(count)]
    for row, (_, parent) in enumerate(calls):
        of_call[row] |= of_call[parent] if parent >= 0 else set()
    for box, group in enumerate(view.group):
        node = view.node[box]
        if group >= 0 and node in made and made[node] >= 0:
            assert view.groups[group].label.partition(" ")[0] in of_call[made[node]]


@given(graphs(), st.data())
def test_calls_that_follow_each_other_or_lie_in_each_other_are_all_drawn(
    graph: Graph, data: st.DataObject
) -> None:
    """As in a program: each call has all the nodes made from its beginning to its end."""
    inner = [node.index for node in graph.nodes if node.edges]
    spans: list[tuple[int, int]] = []
    for first, last in data.draw(st.lists(st.tuples(*[st.integers(0, len(inner) - 1)] * 2))):
        if first <= last and all(
            last < a or b < first or (a <= first and last <= b) for a, b in spans
        ):
            spans.append((first, last))

    def innermost(first: int, last: int, among: int) -> int:
        inside = [i for i, (a, b) in enumerate(spans[:among]) if a <= first and last <= b]
        return inside[-1] if inside else -1

    calls = [(f"m{row}:M", innermost(*span, row)) for row, span in enumerate(spans)]
    made = {node: innermost(i, i, len(spans)) for i, node in enumerate(inner)}
    graph = called(graph, calls, made)
    view = draw(graph)
    frames = {group.label for group in view.groups}
    assert frames >= {f"m{row} (M)" for row, (first, last) in enumerate(spans) if first < last}
    for number, group in enumerate(view.groups):
        assert group.parent < number
        if number and group.parent >= 0:
            # Each comes right before all that lie in it.
            assert all(
                view.groups[between].parent >= group.parent
                for between in range(group.parent + 1, number)
            )


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_knots_are_what_leads_to_each_other(arrows: list[tuple[int, int]]) -> None:
    reach = np.eye(8, dtype=bool)
    for one, other in arrows:
        reach[one, other] = True
    for middle in range(8):
        reach |= reach[:, [middle]] & reach[[middle], :]
    both = reach & reach.T
    expected = {tuple(np.flatnonzero(row)) for row in both if row.sum() > 1}
    assert {tuple(sorted(knot)) for knot in knots_of(arrows)} == expected


def test_a_hundred_calls_deep_and_long_chains_need_no_stack() -> None:
    count, depth = 20_000, 100
    graph = graph_of([[i + 1] for i in range(count - 1)] + [[]])
    calls = [(f"m{row}:M", row - 1) for row in range(depth)]
    made = dict.fromkeys(range(1, count - 1), depth - 1)
    knotted = {**made, 0: 40}
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(200)
        views = [draw(called(graph, calls, one)) for one in (made, knotted)]
    finally:
        sys.setrecursionlimit(limit)
    assert [len(view.groups) for view in views] == [depth, depth]
