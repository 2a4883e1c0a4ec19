"""Paths: counted as a brute force enumeration counts them, at any size."""

from __future__ import annotations

import math
from dataclasses import replace

import build
import numpy as np
import pytest
from build import graph_of, make_capture, make_graph
from flow import CutMade, with_cuts
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.api import paths as find_paths
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.paths import Paths, Way, readable


@st.composite
def graphs(draw: st.DrawFn, most: int = 9) -> Graph:
    """Draw a small graph with edges side by side and several roots; every node is reached."""
    count = draw(st.integers(1, most))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        edges[draw(st.integers(0, node - 1))].append(node)
    pair = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    for one, other in draw(st.lists(pair, max_size=2 * count)):
        if one < other:
            edges[one].append(other)
        elif edges[one]:
            edges[one].append(-1)
    others = draw(st.lists(st.integers(1, count - 1), max_size=3)) if count > 1 else []
    return graph_of(edges, roots=[0, *others])


def walks(graph: Graph, start: int, target: int) -> list[list[int]]:
    """Walk along every edge, and give the nodes of each walk to the target."""
    found = [[start]] if start == target else []
    for edge in graph.node(start).edges:
        if edge.target is not None:
            found += [[start, *rest] for rest in walks(graph, edge.target.index, target)]
    return found


def enumerated(graph: Graph, target: int) -> list[list[int]]:
    """Give the nodes of every path from a tensor to a root."""
    roots = {root.node.index for root in graph.roots}
    return [walk[::-1] for root in sorted(roots) for walk in walks(graph, root, target)]


@given(graphs(), st.data())
def test_counts_and_lengths_are_those_of_an_enumeration(graph: Graph, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(graph) - 1))
    every = enumerated(graph, target)
    found = find_paths(make_capture(graph), f"#{target}", top=0)
    assert found.count == len(every)
    assert (found.shortest, found.longest) == (min(map(len, every)), max(map(len, every)))
    assert found.nodes == len({node for path in every for node in path})
    assert {root.node.index for root in found.roots} == {path[-1] for path in every}


@given(graphs(), st.data())
def test_the_trunk_is_what_all_paths_run_through(graph: Graph, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(graph) - 1))
    every = enumerated(graph, target)
    trunk = find_paths(make_capture(graph), f"#{target}", top=0).trunk
    assert trunk is not None
    on_all = set.intersection(*map(set, every))
    assert trunk.node.tolist() == [node for node in every[0] if node in on_all]
    assert math.prod(trunk.ways) == len(every)
    assert len(trunk) + trunk.between.sum() == len({node for path in every for node in path})
    nodes = trunk.node.tolist()
    for node, following, ways, between in zip(
        nodes, [*nodes[1:], None], trunk.ways, trunk.between.tolist(), strict=True
    ):
        parts = walks(graph, following, node) if following is not None else enumerated(graph, node)
        assert ways == len(parts)
        assert between == len({node for part in parts for node in part} - {node, following})


@given(graphs(most=7), st.data())
def test_few_paths_are_given_in_full(graph: Graph, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(graph) - 1))
    every = enumerated(graph, target)
    different = {tuple(path) for path in every}
    top = data.draw(st.integers(0, 6))
    found = find_paths(make_capture(graph), f"#{target}", top=top)
    if len(different) > top:
        assert found.every == ()
        return
    assert sorted(tuple(way.node.tolist()) for way in found.every) == sorted(different)
    assert [len(way) for way in found.every] == sorted(map(len, different))
    for way in found.every:
        assert math.prod(way.ways) == every.count(way.node.tolist())
        assert not way.between.any()


@given(graphs(), st.data())
def test_the_direct_way_is_a_shortest_path(graph: Graph, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(graph) - 1))
    every = enumerated(graph, target)
    direct = find_paths(make_capture(graph), f"#{target}", top=0).direct
    assert direct is not None
    assert direct.node.tolist() in every
    assert len(direct) == min(map(len, every))


def chain_of(step: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> Capture:
    """Make a long graph; `build.depths` would take quadratic time for one."""
    depth = [0] * len(step)
    for node, targets in enumerate(step):
        for target in targets:
            depth[target] = max(depth[target], depth[node] + 1)
    monkeypatch.setattr(build, "depths", lambda edges, roots: depth)
    return make_capture(graph_of(step, names={len(step) - 1: "w"}))


def test_ten_thousand_doublings(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = chain_of([[node + 1] * 2 for node in range(10_000)] + [[]], monkeypatch)
    found = find_paths(capture, "w")
    assert found.count == 2**10_000
    assert (found.shortest, found.longest) == (10_001, 10_001)
    (way,) = found.every  # they all run along the same nodes
    assert set(way.ways[:-1]) == {2}


def test_branches_that_never_meet_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 5_000
    capture = chain_of([[n + 1, n + 2] for n in range(count - 1)] + [[count], []], monkeypatch)
    one, other = 1, 1
    for _ in range(count - 1):
        one, other = one + other, one
    found = find_paths(capture, "w")
    assert found.count == one
    assert (found.shortest, found.longest) == (count // 2 + 1, count + 1)
    assert found.trunk is not None
    assert found.trunk.node.tolist() == [count, 0]


def test_a_deep_graph_needs_no_deep_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 200_000
    capture = chain_of([[node + 1] * 2 for node in range(count)] + [[]], monkeypatch)
    assert find_paths(capture, "w", top=0).count == 2**count


def test_edges_side_by_side_are_different_paths() -> None:
    found = find_paths(make_capture("loss>mul mul>w mul>w"), "w")
    assert found.count == 2
    (way,) = found.every
    assert way.node.tolist() == [2, 1, 0]
    assert way.ways == (2, 1, 1)


def test_a_root_is_one_node_away_from_itself() -> None:
    found = find_paths(make_capture("loss>mul mul>w"), "loss")
    assert (found.count, found.shortest, found.longest) == (1, 1, 1)
    (way,) = found.every
    assert way.node.tolist() == [0]


def test_paths_to_a_root_below_another_count_for_both() -> None:
    graph = graph_of([[1], [2], []], roots=[0, 1], names={2: "w"})
    found = find_paths(make_capture(graph), "w")
    assert found.count == 2
    assert [way.node.tolist() for way in found.every] == [[2, 1], [2, 1, 0]]
    assert len(found.roots) == 2


def test_norms_are_those_of_the_gradient_table() -> None:
    capture = make_capture("loss>mul mul>a mul>b")
    table = replace(capture.gradients.table, node=np.array([2, 3], np.int32))
    capture = replace(capture, gradients=replace(capture.gradients, table=table))
    assert find_paths(capture, "b").norms == {2: 1.0, 3: 2.0}


def unreached(graph: Graph, name: str, reason: Reason = Reason.NOT_REACHED) -> Capture:
    """Make a capture with one more row in its gradient table: a tensor not in the graph."""
    capture = make_capture(graph)
    extra = build.make_gradients([*capture.gradients.names, name])
    reasons = np.array([*[Reason.ARRIVED] * len(capture.gradients), reason], np.uint8)
    return replace(capture, gradients=replace(extra, table=replace(extra.table, reason=reasons)))


def test_what_is_not_reached_has_a_reason_and_the_cuts() -> None:
    leaves = "net.cut.weight", "net.cut.bias"
    cuts = [
        CutMade("float", CutKind.NUMBER),
        CutMade("Tensor.detach", CutKind.DETACH, leaves=leaves),
    ]
    graph = with_cuts(make_graph("loss>mul mul>a"), cuts)
    found = find_paths(unreached(graph, "net.cut.weight"), "cut.weight")
    assert (found.node, found.count, found.reason) == (None, 0, "not reached from the root")
    assert [cut.op for cut in found.cuts] == ["Tensor.detach"]
    assert find_paths(unreached(graph, "net.other"), "net.other").cuts == ()
    assert find_paths(unreached(graph, "a2", Reason.REQUIRES_NO_GRAD), "a2").reason == (
        "requires_grad is False"
    )


def test_a_negative_number_of_paths_is_refused() -> None:
    with pytest.raises(UsageError, match="-1"):
        find_paths(make_capture(), "a", top=-1)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1024, "1,024"),
        (10**15 - 1, "999,999,999,999,999"),
        (2**50, "2^50"),
        (2**10_000, "2^10000"),
        (2**10_000 + 1, "2.00e+3010"),  # 1.9951e3010
        (3**40, "1.22e+19"),
        (10**4000, "1.00e+4000"),
        (10**4000 - 1, "1.00e+4000"),
        (9_999 * 10**17, "1.00e+21"),
    ],
)
def test_any_number_can_be_read(number: int, text: str) -> None:
    assert readable(number) == text


@given(st.integers(10**15, 10**300))
def test_the_figures_of_a_large_number_are_its_own(number: int) -> None:
    text = readable(number)
    value = 2.0 ** int(text[2:]) if text.startswith("2^") else float(text)
    assert value == pytest.approx(float(number), rel=0.0051)


def test_paths_and_ways_say_what_they_are() -> None:
    found = find_paths(make_capture("loss>mul mul>w mul>w"), "w")
    assert isinstance(found, Paths)
    assert isinstance(found.trunk, Way)
    assert repr(found) == "<Paths of w: 2>"
