"""A diff finds the edits that were made, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from build import graph_of, make_capture, make_graph, with_origins
from edits import NODES, Scale, Tree, capture_of, inserted, layers_in, model_of, odd_capture, places
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint

from autograd_inspect import Capture, diff
from autograd_inspect.analyses.changes import summarise
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Backward, Recording
from autograd_inspect.model.diff import ASPECTS, Diff, Fact
from autograd_inspect.model.gradients import Reason

TREES = st.recursive(
    st.lists(st.just(0), min_size=1, max_size=3),
    lambda inner: st.lists(st.one_of(st.just(0), inner), min_size=1, max_size=3),
    max_leaves=8,
)


def numbered(tree: Tree, count: list[int] | None = None) -> Tree:
    """Make each layer of a tree another one."""
    count = count if count is not None else [0]

    def number() -> int:
        count[0] += 1
        return count[0]

    return [numbered(part, count) if isinstance(part, list) else number() for part in tree]


def told(found: Diff) -> list[tuple[str, str]]:
    """Give mark and name of each node that differs; leaves by their names."""
    return [(one.mark, one.node.leaf.name if one.node.leaf else one.node.title) for one in found]


def facts(found: Diff) -> dict[str, list[str]]:
    """Give the facts that differ, by the name of the leaf or the module of the node."""
    table: dict[str, list[str]] = {}
    for one in found:
        call = one.node.call
        name = one.node.leaf.name if one.node.leaf else call.module.path if call else one.node.title
        table.setdefault(name, []).extend(contrast.fact.label for contrast in one.contrasts)
    return table


def pairs_of(found: Diff) -> set[tuple[int, int]]:
    return set(zip(found.pairs.before.tolist(), found.pairs.after.tolist(), strict=True))


def assert_pairs_are_sound(found: Diff) -> None:
    """Every node of both is in exactly one row, and no two of different kinds are paired."""
    before, after = found.before.graph, found.after.graph
    for graph, column in ((before, found.pairs.before), (after, found.pairs.after)):
        assert sorted(column[column >= 0].tolist()) == list(range(len(graph)))
    for one, other in pairs_of(found):
        if one >= 0 and other >= 0:
            assert before.node(one).kind == after.node(other).kind


# --- what was edited is what is found -------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(TREES, st.data())
def test_an_inserted_layer_is_all_that_is_found(shape: Tree, data: st.DataObject) -> None:
    tree = numbered(shape)
    path = data.draw(st.sampled_from(list(places(tree))))
    before = capture_of(model_of(tree))
    after = capture_of(model_of(inserted(tree, path, 777)))
    found = diff(before, after)
    assert_pairs_are_sound(found)
    assert told(found) == [("+", title) for title in ("sin", "pow", "add")]
    module = "net." + ".".join(map(str, path))
    assert {one.node.call.module.path for one in found if one.node.call} == {module[4:]}
    # The same the other way round.
    back = diff(after, before)
    assert told(back) == [("-", title) for title in ("sin", "pow", "add")]
    assert pairs_of(back) == {(other, one) for one, other in pairs_of(found)}


@settings(max_examples=25, deadline=None)
@given(TREES, st.data())
def test_what_a_script_of_edits_leaves_alone_is_matched(shape: Tree, data: st.DataObject) -> None:
    tree = changed = numbered(shape)
    news = data.draw(st.integers(1, 4))
    for new in range(news):
        path = data.draw(st.sampled_from(list(places(changed))))
        part = data.draw(st.sampled_from([1000 + new, [1000 + new], [[2000 + new], 1000 + new]]))
        changed = inserted(changed, path, part)
    found = diff(capture_of(model_of(tree)), capture_of(model_of(changed)))
    assert_pairs_are_sound(found)
    added = len(layers_in(changed)) - len(layers_in(tree))
    assert (found.count("+"), found.count("-"), found.count("~")) == (NODES * added, 0, 0)


@settings(max_examples=25, deadline=None)
@given(TREES, TREES)
def test_any_two_models_mirror_each_other(shape: Tree, other: Tree) -> None:
    one, two = capture_of(model_of(numbered(shape))), capture_of(model_of(numbered(other)))
    found, back = diff(one, two), diff(two, one)
    assert_pairs_are_sound(found)
    assert pairs_of(back) == {(after, before) for before, after in pairs_of(found)}
    assert found.count("+") == back.count("-")
    assert found.count("~") == back.count("~")
    assert bool(found) == bool(back)


@settings(max_examples=10, deadline=None)
@given(TREES)
def test_a_capture_does_not_differ_from_itself(shape: Tree) -> None:
    capture = capture_of(model_of(numbered(shape)), backward=True)
    found = diff(capture, capture, what=ASPECTS)
    assert not found
    assert len(found) == 0
    again = capture_of(model_of(numbered(shape)), backward=True)
    assert not diff(capture, again)


@settings(max_examples=10, deadline=None)
@given(TREES)
def test_a_renamed_module_is_one_rename(shape: Tree) -> None:
    tree = numbered(shape)
    before = capture_of(nn.Sequential(nn.Identity(), model_of(tree)))
    after = nn.Sequential()
    after.add_module("first", nn.Identity())
    after.add_module("body", model_of(tree))
    found = diff(before, capture_of(after))
    assert told(found) == []
    assert [(one.before.path, one.after.path) for one in found.renamed] == [("1", "body")]


class Net(nn.Module):
    """Two layers, an activation and a head, all to be replaced."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        usual = {"first": nn.Linear(4, 8), "act": nn.ReLU(), "head": nn.Linear(8, 2)}
        for name, layer in (usual | layers).items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.act(self.first(x)))


def net(**layers: nn.Module) -> Net:
    torch.manual_seed(0)
    return Net(**layers)


def test_a_widened_layer_changes_shapes_and_bytes() -> None:
    before = capture_of(net(), (3, 4))
    after = capture_of(net(first=nn.Linear(4, 16), head=nn.Linear(16, 2)), (3, 4))
    found = diff(before, after, what=["structure", "shapes", "saved"])
    assert (found.count("+"), found.count("-"), len(found.renamed)) == (0, 0, 0)
    assert facts(found) == {
        "first": ["shape", "shape", "saved"],
        "net.first.weight": ["shape"],
        "net.first.bias": ["shape"],
        "act": ["shape", "saved"],
        "head": ["shape", "saved"],
        "net.head.weight": ["shape"],
    }
    act = next(one for one in found if one.node.title == "relu")
    values = {c.fact: (c.before, c.after) for c in act.contrasts}
    # A relu saves its result: rows * width * 4 bytes.
    assert values[Fact.SAVED] == (3 * 8 * 4, 3 * 16 * 4)
    assert values[Fact.SHAPE] == ("[3, 8]", "[3, 16]")


def test_a_replaced_operation_is_a_change_of_it() -> None:
    found = diff(capture_of(net(), (3, 4)), capture_of(net(act=nn.GELU()), (3, 4)))
    (one,) = [one for one in found if not one.only_drifted]
    assert (one.mark, one.before.title, one.after.title) == ("~", "relu", "gelu")  # type: ignore[union-attr]
    assert [(c.before, c.after) for c in one.contrasts if c.fact is Fact.OP] == [
        ("ReluBackward0", "GeluBackward0")
    ]
    assert [(one.before.cls, one.after.cls) for one in found.renamed] == [("ReLU", "GELU")]


def test_scalars_are_compared() -> None:
    found = diff(capture_of(Scale(3)), capture_of(Scale(4)))
    assert told(found) == [("~", "pow")]
    assert [(c.before, c.after) for c in found.differences[0].contrasts] == [
        ("exponent=2.003", "exponent=2.004")
    ]


def test_a_wrapper_around_a_model_renames_it() -> None:
    inner = net()
    before = capture_of(inner, (3, 4))
    found = diff(before, capture_of(nn.Sequential(inner), (3, 4)))
    assert told(found) == []


def test_checkpointing_shows_in_what_is_saved() -> None:
    class Checkpointed(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = checkpoint(lambda x: self.act(self.first(x)), x, use_reentrant=False)
            return self.head(hidden)

    torch.manual_seed(0)
    after = capture_of(Checkpointed(), (3, 4))
    found = diff(capture_of(net(), (3, 4)), after, what=["saved"])
    assert {one.node.title for one in found} == {"addmm", "relu"}
    assert {c.after for one in found for c in one.contrasts} == {"packed by checkpoint"}
    assert found.totals.held[1] < found.totals.held[0]


def test_a_residual_connection_is_an_operation_more() -> None:
    class Residual(nn.Module):
        def __init__(self, *, joined: bool) -> None:
            super().__init__()
            self.body, self.joined = Scale(3), joined

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.exp()
            return x + self.body(x) if self.joined else self.body(x)

    found = diff(capture_of(Residual(joined=False)), capture_of(Residual(joined=True)))
    assert told(found) == [("+", "add")]


def test_operands_that_changed_places_are_edges_that_lead_elsewhere() -> None:
    one = make_capture(make_graph("loss>sub sub>mul sub>exp mul>a exp>b"))
    two = make_capture(make_graph("loss>sub sub>exp sub>mul mul>a exp>b"))
    found = diff(one, two, what=["structure"])
    assert found.rewired == 2
    assert told(found) == [("~", "sub")]
    assert found.differences[0].contrasts[0].fact is Fact.INPUTS


def test_leaves_swapped_are_edges_that_lead_elsewhere() -> None:
    one = make_capture(make_graph("loss>sub sub>mul sub>exp mul>a exp>b"))
    two = make_capture(make_graph("loss>sub sub>mul sub>exp mul>b exp>a"))
    names = {one.before.leaf.name: one.after.leaf.name for one in diff(one, two)}  # type: ignore[union-attr]
    assert names == {"a": "b", "b": "a"}


def test_what_runs_in_another_order_now_is_the_same() -> None:
    class Heads(nn.Module):
        def __init__(self, *names: str) -> None:
            super().__init__()
            self.left, self.right, self.names = Scale(3), Scale(5), names

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            made = {name: getattr(self, name)(x) for name in self.names}
            return made["left"] - made["right"]

    found = diff(capture_of(Heads("left", "right")), capture_of(Heads("right", "left")))
    assert told(found) == []


# --- gradients and other facts --------------------------------------------------------------------


def with_norms(capture: Capture, norms: list[float]) -> Capture:
    table = capture.gradients.table
    nodes = capture.graph.leaf_table.node
    changed = replace(table, norm=np.array(norms), node=nodes)
    return Capture(capture.graph, replace(capture.gradients, table=changed), capture.about)


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        (1.0, 1.0, False),
        (1.0, 1.009, False),
        (1.0, 1.02, True),
        (0.0, 0.0, False),
        (0.0, 1e-30, True),
        (math.nan, math.nan, False),
        (math.inf, math.inf, False),
        (math.nan, math.inf, True),
        (1.0, math.nan, True),
        (math.inf, 1.0, True),
    ],
)
def test_norms_are_compared_by_share(before: float, after: float, differs: bool) -> None:
    plain = make_capture()
    found = diff(with_norms(plain, [before, 2]), with_norms(plain, [after, 2]))
    assert bool(found) is differs
    assert found.drifted == int(differs)
    if differs:
        assert [one.node.leaf.name for one in found if one.node.leaf] == ["a"]


def test_the_tolerance_can_be_chosen() -> None:
    one, two = with_norms(make_capture(), [1, 2]), with_norms(make_capture(), [1.4, 2])
    assert diff(one, two)
    assert not diff(one, two, tolerance=0.5)
    assert not diff(one, two, what=["structure", "shapes"])
    with pytest.raises(UsageError, match="a tolerance of 1"):
        diff(one, two, tolerance=1)
    with pytest.raises(UsageError, match="unknown aspect 'grad'"):
        diff(one, two, what=["grad"])


def test_a_gradient_that_is_missing_now_is_said_to_be() -> None:
    one = with_norms(make_capture(), [1, 2])
    table = replace(
        one.gradients.table, reason=np.array([Reason.ARRIVED, Reason.NOT_AMONG_INPUTS], np.uint8)
    )
    two = Capture(one.graph, replace(one.gradients, table=table), one.about)
    (found,) = diff(one, two)
    assert found.node.leaf is not None
    assert found.node.leaf.name == "b"
    assert [(c.before, c.after) for c in found.contrasts] == [
        (2.0, "not among the inputs asked for")
    ]


def test_real_gradients_are_those_of_torch() -> None:
    torch.manual_seed(0)
    model = net()
    before = capture_of(model, (3, 4), backward=True)
    with torch.no_grad():
        model.head.weight *= 3
    after = capture_of(model, (3, 4), backward=True)
    norms = {}
    for one in diff(before, after):
        if one.node.leaf:
            (contrast,) = one.contrasts
            norms[one.node.leaf.name] = contrast.after / contrast.before  # type: ignore[operator]
    # What lies below the head gets three times the gradient, the head itself the same.
    assert set(norms) == {"net.first.weight", "net.first.bias", "x"}
    assert all(math.isclose(factor, 3, rel_tol=1e-5) for factor in norms.values())


def test_lines_and_times_are_compared_when_asked_for() -> None:
    graph = make_graph("loss>mul mul>a mul>b")
    one = make_capture(with_origins(graph, places={0: "m.py:1", 1: "m.py:2"}))
    two = make_capture(with_origins(graph, places={0: "m.py:1", 1: "m.py:7"}))
    assert not diff(one, two)
    (found,) = diff(one, two, what=["lines"])
    assert [(c.before, c.after) for c in found.contrasts] == [("m.py:2", "m.py:7")]

    def timed(*spent: int) -> Capture:
        nodes = replace(graph.node_table, spent=np.array(spent, np.int64))
        return make_capture(replace(graph, node_table=nodes))

    found_times = diff(timed(100, 100, -1, -1), timed(130, 900, -1, 5), what=["times"])
    assert told(found_times) == [("~", "mul")]
    assert not diff(timed(100, 100, 0, 0), timed(900, 900, 0, 0))


def test_requires_grad_of_a_leaf_is_compared() -> None:
    graph = make_graph("loss>mul mul>a mul>b")
    leaves = replace(graph.leaf_table, requires_grad=np.array([True, False]))
    (found,) = diff(make_capture(graph), make_capture(replace(graph, leaf_table=leaves)))
    assert [(c.fact, c.before, c.after) for c in found.contrasts] == [
        (Fact.REQUIRES_GRAD, "True", "False")
    ]


def test_what_makes_captures_hard_to_compare_is_said() -> None:
    graph = make_graph("loss>mul mul>a")
    versions = (("torch", "2.9.0"),)
    one = make_capture(graph, recording=Recording.NONE, versions=versions, partial="it raised")
    two = make_capture(
        graph,
        recording=Recording.LIGHT,
        versions=(("torch", "2.13.0"),),
        backward=Backward.NOT_RUN,
        omitted=("saved tensors",),
    )
    notes = diff(one, two).notes
    for words in ("partial: it raised", "not recorded", "torch 2.9.0 before", "no backward after"):
        assert any(words in note for note in notes), words
    assert diff(one, one).notes == ("before: partial: it raised", "after: partial: it raised")


def test_a_capture_without_modules_is_aligned_by_operations() -> None:
    tree = numbered([0, [0, 0]])
    before, after = (capture_of(model_of(one)) for one in (tree, inserted(tree, (1, 1), 777)))
    table = before.graph.node_table
    bare = replace(before.graph, node_table=replace(table, call=np.full_like(table.call, -1)))
    found = diff(Capture(bare, before.gradients, before.about), after)
    assert sorted(told(found)) == [("+", title) for title in ("add", "pow", "sin")]
    assert not found.renamed


def test_the_result_shows_itself() -> None:
    found = diff(make_capture("loss>mul mul>a"), make_capture("loss>exp exp>mul mul>a"))
    assert repr(found) == "<Diff: 1 added, 0 removed, 0 changed>"
    assert "\n+ exp  [2, 3]\n" in str(found)
    assert str(found.render()).startswith("<svg")


# --- size and odd graphs --------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_graphs_without_rhyme_or_reason(seed: int) -> None:
    rng = Random(seed)
    one, two = odd_capture(rng), odd_capture(rng)
    found, back = diff(one, two, what=ASPECTS), diff(two, one, what=ASPECTS)
    assert_pairs_are_sound(found)
    assert pairs_of(back) == {(after, before) for before, after in pairs_of(found)}
    assert not diff(one, one)
    told = sum(change.times for change in summarise(found, fold=False).changes)
    assert told == sum(not one.only_drifted for one in found)


def chain(ops: list[str]) -> Capture:
    edges = [*([place + 1] for place in range(len(ops))), []]
    return make_capture(graph_of(edges, ops=[*ops, "AccumulateGrad"], names={len(ops): "x"}))


def test_deep_graphs_do_not_recurse() -> None:
    ops = ["MulBackward0", "SinBackward0", "AddBackward0"] * 7000
    changed = [*ops[:300], "ExpBackward0", *ops[300:9000], *ops[9002:]]
    found = diff(chain(ops), chain(changed))
    assert (found.count("+"), found.count("-")) == (1, 2)


def test_a_graph_of_leaves_and_one_of_nothing() -> None:
    leaf = make_capture(graph_of([[]], names={0: "x"}))
    assert not diff(leaf, leaf)
    found = diff(leaf, make_capture("loss>mul mul>x"))
    assert sorted(told(found)) == [("+", "loss"), ("+", "mul")]


# --- told in few lines ----------------------------------------------------------------------------


def repeated(count: int, width: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Sequential(nn.Linear(4, width), nn.Linear(width, 4)) for _ in range(count))
    )


def test_the_same_in_many_modules_is_one_line() -> None:
    before, after = (capture_of(repeated(5, width), (2, 4)) for width in (8, 16))
    changes = summarise(diff(before, after, what=["shapes"])).changes
    assert {change.times for change in changes} == {5}
    line = next(one for one in changes if one.first.node.title == "addmm")
    assert (line.where, line.also) == ("net.0.0", ("net.1.0", "net.2.0", "net.3.0", "net.4.0"))
    assert len(summarise(diff(before, after, what=["shapes"]), fold=False).changes) == 5 * len(
        changes
    )


def test_a_module_that_is_new_throughout_is_one_line() -> None:
    before, after = (capture_of(repeated(count, 8), (2, 4)) for count in (2, 3))
    (change,) = summarise(diff(before, after)).changes
    assert (change.where, change.nodes, change.leaves) == ("net.2", 4, 4)
    # Two inputs of 2 rows and two weights of 4 x 8 floats; what an earlier node keeps is not anew.
    saved = [one for node in after.graph.nodes for one in node.saved if _path(node).startswith("2")]
    assert change.held == sum({one.row: one.bytes for one in saved}.values())


def _path(node: Any) -> str:
    return node.call.module.path if node.call else ""


def test_a_frozen_layer_is_gone_with_the_reason() -> None:
    frozen = net()
    frozen.first.requires_grad_(requires_grad=False)
    x = torch.ones(3, 4)

    def capture(model: nn.Module) -> Capture:
        import autograd_inspect

        with autograd_inspect.record():
            loss = model(x).sum()
        return autograd_inspect.trace(loss, model, backward=True)

    changes = summarise(diff(capture(net()), capture(frozen))).changes
    assert [(one.first.mark, one.where, one.reason) for one in changes if one.leaves] == [
        ("-", "first", "requires_grad is False")
    ]


def test_gradients_that_drift_most_come_first() -> None:
    one, two = with_norms(make_capture(), [1, 2]), with_norms(make_capture(), [1.1, 9])
    drifts = summarise(diff(one, two)).drifts
    assert [drift.difference.node.leaf.name for drift in drifts] == ["b", "a"]  # type: ignore[union-attr]
    assert math.isclose(drifts[0].factor, 4.5)
