"""Selecting nodes, compared with searches written another way."""

from __future__ import annotations

import numpy as np
import pytest
from build import graph_of, make_graph
from hypothesis import given
from hypothesis import strategies as st
from layers import make_layers

from autograd_inspect.model.graph import Graph
from autograd_inspect.passes.selecting import above, matching, near


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Random graphs in which every node is reached from node 0."""
    count = draw(st.integers(1, 25))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        edges[draw(st.integers(0, node - 1))].append(node)
    for _ in range(draw(st.integers(0, 20))):
        pair = sorted((draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))))
        if pair[0] < pair[1]:
            edges[pair[0]].append(pair[1])
    return graph_of(edges)


def pairs(graph: Graph) -> list[tuple[int, int]]:
    return [
        (node.index, edge.target.index)
        for node in graph.nodes
        for edge in node.edges
        if edge.target
    ]


@given(graphs(), st.integers(0, 24), st.integers(0, 4))
def test_near_is_what_so_many_edges_separate(graph: Graph, node: int, radius: int) -> None:
    node %= len(graph)
    expected = {node}
    for _ in range(radius):
        expected |= {b for a, b in pairs(graph) if a in expected} | {
            a for a, b in pairs(graph) if b in expected
        }
    found = near(graph, np.array([node], np.int32), radius)
    assert set(np.flatnonzero(found).tolist()) == expected


@given(graphs(), st.integers(0, 24))
def test_above_is_all_that_leads_to_a_node(graph: Graph, node: int) -> None:
    node %= len(graph)
    expected = {node}
    for source, target in sorted(pairs(graph), reverse=True):
        if target in expected:
            expected.add(source)
    assert set(np.flatnonzero(above(graph, np.array([node], np.int32))).tolist()) == expected


def selected(graph: Graph, include: list[str], exclude: list[str]) -> set[str]:
    kept = np.flatnonzero(matching(graph, include, exclude))
    leaves = graph.leaf_at
    return {leaves[i].name if i in leaves else graph.node(i).title for i in kept.tolist()}


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["mul"], [], {"mul"}),
        (["MulBackward0"], [], {"mul"}),
        (["*exp*"], [], {"exp", "weight"}),
        ([], ["weight"], {"loss", "mul", "exp", "bias"}),
        (["m*", "exp"], ["exp"], {"mul"}),
        (["nothing"], [], set()),
    ],
)
def test_patterns_fit_operations_and_leaves(
    include: list[str], exclude: list[str], expected: set[str]
) -> None:
    graph = make_graph("loss>mul mul>exp exp>weight loss>bias")
    assert selected(graph, include, exclude) == expected


def test_a_module_is_selected_with_all_in_it_and_the_leaves_used() -> None:
    graph = make_layers(3).graph
    assert selected(graph, ["h.1"], []) == {"add", "mul", "gelu", "mm", "net.h.1.mlp.weight"}
    assert selected(graph, ["Mlp"], ["mm"]) == {"mul", "gelu"}
    assert selected(graph, [], ["h.*", "*weight"]) == {"loss", "embedding"}
