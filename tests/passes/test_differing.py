"""A diff as a picture: both graphs in one, marked, with what did not change folded."""

from __future__ import annotations

import re
from random import Random

import pytest
from build import graph_of, make_capture, make_graph
from edits import NODES, Tree, capture_of, inserted, model_of, odd_capture
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autograd_inspect import Capture, diff
from autograd_inspect.api import render_diff
from autograd_inspect.errors import UsageError
from autograd_inspect.model.view import Role, View
from autograd_inspect.passes.differing import draw_diff
from autograd_inspect.passes.knots import knots_of
from autograd_inspect.passes.union import union_of
from autograd_inspect.renderers import svg


def boxes(view: View, role: Role) -> list[str]:
    return [
        view.heading(box) for box in range(len(view)) if view.faces[view.face[box]].role is role
    ]


def nodes_in(view: View) -> int:
    """Count the nodes that boxes stand for, those of folds as their texts say."""
    count = 0
    for box in range(len(view)):
        if view.node[box] >= 0:
            count += 1
        else:
            text = " ".join((view.heading(box), *view.lines(box)))
            found = re.search(r"([\d,]+) nodes?\b", text)
            assert found, text
            count += int(found[1].replace(",", ""))
    return count


def numbered(count: int) -> Tree:
    return [[3 * place, [3 * place + 1, 3 * place + 2]] for place in range(count)]


def test_added_removed_and_changed_have_roles_and_signs() -> None:
    one = make_capture(make_graph("loss>mul mul>exp mul>b exp>a"))
    two = make_capture(make_graph("loss>mul mul>b mul>sin mul>tanh sin>a tanh>a"))
    view = draw_diff(diff(one, two), limit=None)
    assert set(boxes(view, Role.ADDED)) >= {"+ sin"} or set(boxes(view, Role.ADDED)) >= {"+ tanh"}
    assert {"loss", "a", "b"} <= set(boxes(view, Role.SAME))
    assert not knots_of(zip(view.source, view.target, strict=True))


def test_the_union_has_every_node_of_both_once() -> None:
    tree = numbered(2)
    before = capture_of(model_of(inserted(tree, (1, 0), 500)))
    after = capture_of(model_of(inserted(tree, (0,), 600)))
    found = diff(before, after)
    union = union_of(found)
    removed, added = found.count("-"), found.count("+")
    assert (removed, added) == (NODES, NODES)
    assert len(union.graph) == len(after.graph) + removed
    assert [union.mark.count(mark) for mark in "+-~"] == [added, removed, 0]
    for node in range(len(union.graph)):
        one = union.graph.node(node)
        there = before.graph.node(int(union.before[node])) if union.mark[node] == "-" else None
        same = there or after.graph.node(node)
        assert (one.op, one.outputs, one.attributes) == (same.op, same.outputs, same.attributes)
        assert one.place == same.place
        assert (one.call and one.call.module) == (same.call and same.call.module)
        assert [saved.bytes for saved in one.saved] == [saved.bytes for saved in same.saved]
    edges = {mark: union.edge_mark.count(mark) for mark in "+-"}
    assert edges["+"] - edges["-"] == after.graph.edge_count - before.graph.edge_count


def test_a_removed_leaf_keeps_its_name() -> None:
    one, two = make_capture("loss>mul mul>a mul>b"), make_capture("loss>mul mul>a")
    view = draw_diff(diff(one, two), limit=None)
    assert "- b" in boxes(view, Role.REMOVED)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(0, 7), st.booleans())
def test_nothing_is_lost_whatever_is_folded(limit: int, place: int, split: bool) -> None:
    tree = numbered(8)
    before, after = (capture_of(model_of(one)) for one in (tree, inserted(tree, (place, 1), 500)))
    found = diff(before, after)
    view = draw_diff(found, limit=limit, split_leaves=split)
    # The one leaf is the input; where it is folded alone it is left out.
    assert len(after.graph) - 1 <= nodes_in(view) <= len(after.graph)
    assert not knots_of(zip(view.source, view.target, strict=True))
    assert len(boxes(view, Role.ADDED)) == min(limit, NODES)


def test_a_module_call_without_a_change_is_one_box() -> None:
    tree = numbered(8)
    before, after = (capture_of(model_of(one)) for one in (tree, inserted(tree, (4, 1, 1), 500)))
    view = draw_diff(diff(before, after), limit=20)
    folds = {view.heading(box): view.lines(box) for box in range(len(view)) if view.node[box] < 0}
    assert folds["net.1 (Sequential)"] == (f"{3 * NODES} nodes unchanged",)
    assert len(boxes(view, Role.ADDED)) == NODES


def test_too_many_folds_are_joined() -> None:
    tree = numbered(40)
    before, after = (capture_of(model_of(one)) for one in (tree, inserted(tree, (20, 1, 1), 500)))
    view = draw_diff(diff(before, after), limit=12)
    assert len(view) <= 12 + 12
    assert not knots_of(zip(view.source, view.target, strict=True))


def test_operations_that_changed_places_make_no_cycle() -> None:
    one = make_capture(graph_of([[1], [2], [3], []], ops=_ops("sum", "exp", "sin")))
    two = make_capture(graph_of([[1], [2], [3], []], ops=_ops("sum", "sin", "exp")))
    for pair in ((one, two), (two, one)):
        view = draw_diff(diff(*pair), limit=None)
        assert not knots_of(zip(view.source, view.target, strict=True))


def _ops(*names: str) -> list[str]:
    return [*(f"{name.capitalize()}Backward0" for name in names), "AccumulateGrad"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.booleans())
def test_graphs_without_rhyme_or_reason_can_be_drawn(seed: int, limit: int, split: bool) -> None:
    rng = Random(seed)
    found = diff(odd_capture(rng), odd_capture(rng))
    for most in (None, limit):
        view = draw_diff(found, limit=most, split_leaves=split)
        assert not knots_of(zip(view.source, view.target, strict=True))
        assert svg.render(view).startswith("<svg")
    every = draw_diff(found, limit=None)
    assert len(boxes(every, Role.ADDED)) == found.count("+")
    assert len(boxes(every, Role.REMOVED)) == found.count("-")


def test_where_only_gradients_differ_that_is_what_is_marked() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    before = capture_of(model, (2, 4), backward=True)
    for parameter in model.parameters():
        parameter.data *= 2
    after = capture_of(model, (2, 4), backward=True)
    found = diff(before, after)
    view = draw_diff(found, limit=None)
    assert len(boxes(view, Role.CHANGED)) == found.drifted > 0
    assert any(remark.startswith("grad ") for remark in view.remark)


@pytest.fixture(scope="module")
def captures() -> tuple[Capture, Capture]:
    tree = numbered(3)
    return capture_of(model_of(tree)), capture_of(model_of(inserted(tree, (1, 1), 500)))


@pytest.mark.parametrize("kind", ["svg", "dot", "pdf", "html", "mermaid", "png"])
def test_every_format_is_drawn(kind: str, captures: tuple[Capture, Capture]) -> None:
    drawing = render_diff(diff(*captures), kind)  # type: ignore[arg-type]
    if isinstance(drawing, str):
        assert "+ sin" in drawing
        assert "added" in drawing
    else:
        assert drawing[:4] in {b"%PDF", b"\x89PNG"}


def test_there_is_no_json_of_a_picture(captures: tuple[Capture, Capture]) -> None:
    with pytest.raises(UsageError, match="not written as json"):
        render_diff(diff(*captures), "json")
