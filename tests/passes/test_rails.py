"""Rails: which lines a scene has, and that the rails are its edges."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from build import graph_of, make_graph, with_origins
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from railway import edges_drawn

from autograd_inspect.model.folds import Opening, Scene
from autograd_inspect.model.rails import LANES
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.unfolding import unfold
from autograd_inspect.passes.railing.build import rails
from autograd_inspect.passes.railing.lines import fits_in, lines_of
from autograd_inspect.passes.railing.whole import whole
from autograd_inspect.renderers.gutter import Gutter


def drawn(scene: Scene, *, plainly: bool = False) -> tuple[list[str], list[int]]:
    """Draw the rails alone."""
    found = rails(scene)
    gutter = Gutter.of(found, ascii=plainly)
    lines = [
        "".join(text for text, _ in gutter.draw(cells, hidden, ("*" if plainly else "●", "")))
        for cells, hidden in zip(found.cells.tolist(), found.hidden.tolist(), strict=True)
    ]
    return lines, found.item.tolist()


def edges_of(scene: Scene) -> set[tuple[int, int]]:
    pairs = zip(scene.source.tolist(), scene.target.tolist(), strict=True)
    return {
        pair for pair, carried in zip(pairs, scene.carried.tolist(), strict=True) if not carried
    }


def crowded(scene: Scene) -> bool:
    return bool(rails(scene).hidden.max(initial=0))


@st.composite
def graphs(draw: st.DrawFn, most: int = 24):
    """Draw a graph whose nodes lead to later ones, all reached from the first."""
    count = draw(st.integers(2, most))
    edges: list[list[int]] = [[] for _ in range(count)]
    for node in range(1, count):
        for user in draw(st.lists(st.integers(0, node - 1), min_size=1, max_size=3)):
            edges[user].append(node)
    return graph_of(edges)


@given(graphs(), st.booleans())
@settings(max_examples=150)
def test_the_rails_of_any_graph_are_its_edges(graph, plainly: bool) -> None:
    scene = whole(fold(graph, views=True))
    assume(not crowded(scene))
    assert edges_drawn(*drawn(scene, plainly=plainly)) == edges_of(scene)


@given(graphs(14), st.data())
@settings(max_examples=100)
def test_the_rails_of_folded_graphs_in_modules_are_the_edges_of_the_scene(graph, data) -> None:
    nodes = range(len(graph))
    paths = st.sampled_from(["a:A", "a.b:B", "a.c:C", "d:D", "d:D#2"])
    calls = data.draw(st.dictionaries(st.sampled_from(nodes), paths))
    folds = fold(with_origins(graph, calls=calls))
    some = data.draw(st.sets(st.integers(0, max(len(folds.titles) - 1, 0))))
    scene = unfold(folds, Opening(frozenset(some if folds.titles else ())))
    assume(not crowded(scene))
    assert edges_drawn(*drawn(scene)) == edges_of(scene)


@given(graphs(40))
@settings(max_examples=50)
def test_rails_that_find_no_lane_are_counted(graph) -> None:
    scene = whole(fold(graph))
    found = rails(scene)
    assert found.cells[:, :LANES].shape == (len(scene), LANES)
    for line, item in enumerate(found.item.tolist()):
        below = {target for source, target in edges_of(scene) if source >= item > target}
        running = int((found.cells[line, :LANES] & 2 > 0).sum()) + int(found.hidden[line])
        assert running >= len(below)
        assert bool(running) == bool(below)


@given(graphs(), st.data())
def test_every_item_has_one_line_and_every_head_stands_above_what_is_in_it(graph, data) -> None:
    paths = st.sampled_from(["a:A", "a.b:B", "a.b.c:C", "d:D"])
    calls = data.draw(st.dictionaries(st.sampled_from(range(len(graph))), paths))
    folds = fold(with_origins(graph, calls=calls))
    scene = unfold(folds, Opening(frozenset(range(len(folds.titles)))))
    lines = lines_of(scene)
    assert [item for item in lines.item.tolist() if item >= 0] == [*range(len(scene))][::-1]
    for number, heads in lines.heads.items():
        for head in heads:
            inside = [
                line
                for line, item in enumerate(lines.item.tolist())
                if item >= 0 and head in folds.around(int(scene.inside[item]))
            ]
            assert min(inside) >= number
            assert len(inside) == sum(
                item >= 0 for item in lines.item[number : max(inside) + 1].tolist()
            )
    assert fits_in(scene, len(lines))
    assert not fits_in(scene, len(lines) - 1)


def test_a_long_skip_leaves_the_main_line_on_the_left() -> None:
    graph = make_graph("loss>add add>relu relu>mm mm>tanh add>tanh tanh>exp exp>a")
    lines, _ = drawn(whole(fold(graph)))
    assert [line.rstrip() for line in lines] == ["●", "●─╮", "● │", "● │", "●─╯", "●"]


def test_users_of_one_value_share_its_rail() -> None:
    graph = make_graph(
        "loss>stack stack>sin stack>cos stack>tan sin>exp cos>exp tan>exp exp>log log>a"
    )
    scene = whole(fold(graph))
    lines, items = drawn(scene)
    assert edges_drawn(lines, items) == edges_of(scene)
    assert max(len(line.rstrip()) for line in lines) <= len("● │ │ ")


def test_what_does_not_fit_is_left_out_in_the_middle_and_counted() -> None:
    graph = make_graph(" ".join(f"n{i}>n{i + 1}" for i in range(100)))
    scene = whole(fold(graph))
    found = rails(scene, 20)
    ((line, skipped),) = found.skipped.items()
    assert len(found) == 20
    assert skipped.items == len(scene) - 19
    assert skipped.nodes == skipped.items
    kept = [item for item in found.item.tolist() if item >= 0]
    assert kept == [item for item in range(len(scene) - 1, -1, -1) if item in set(kept)]
    assert found.cells[line].any()


@pytest.mark.parametrize("shape", ["chain", "fan", "ladder"])
def test_depth_and_breadth_need_no_recursion(shape: str) -> None:
    count = 3000
    if shape == "chain":
        edges = [[i + 1] for i in range(count - 1)] + [[]]
    elif shape == "fan":
        edges = [[*range(1, count)], *[[count]] * (count - 1), [count + 1], []]
    else:
        edges = [[i + 1, min(i + 2, count - 1)] for i in range(count - 1)] + [[]]
    scene = whole(fold(graph_of(edges)))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        found = rails(scene)
    finally:
        sys.setrecursionlimit(before)
    assert np.count_nonzero(found.item >= 0) == len(scene)
