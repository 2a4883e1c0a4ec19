from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probing import probed
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from autograd_inspect.autograd.probes import MOST_NODES, Probes, probe_for
from autograd_inspect.autograd.walker import walk
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.probes import Passed

Tensor = torch.Tensor


def figures(gradient: Tensor) -> Passed:
    """Compute by numpy what a probe should have found."""
    values = gradient.detach()
    values = values.to_dense() if values.layout is not torch.strided else values
    array = values.to(torch.complex128 if values.is_complex() else torch.float64).numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        return Passed(
            norm=float(np.sqrt((np.abs(array) ** 2).sum())),
            max=float(np.abs(array).max()) if array.size else 0.0,
            zeros=int((array == 0).sum()),
            nan=int(np.isnan(array).sum()),
            inf=int(np.isinf(array).sum()),
            count=array.size,
        )


def assert_same(found: Passed | None, expected: Passed) -> None:
    assert found is not None
    assert found.norm == pytest.approx(expected.norm, rel=1e-12, nan_ok=True)
    assert found.max == pytest.approx(expected.max, rel=0, nan_ok=True)
    counts = ("zeros", "nan", "inf", "count")
    assert [getattr(found, n) for n in counts] == [getattr(expected, n) for n in counts]


# What arrives is what torch itself would have put into .grad


def test_what_arrives_at_a_node_is_the_gradient_of_its_tensor() -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 3, requires_grad=True)
    w = torch.randn(3, 4, requires_grad=True)
    hidden = (x @ w).relu()
    shifted = hidden + torch.randn(4, requires_grad=True)  # broadcast: its gradient is summed
    loss = (shifted * hidden).pow(2).mean()
    tensors = [hidden, shifted, loss]
    for one in tensors:
        one.retain_grad()
    walked, graph = probed(loss)
    for tensor in tensors:
        node = graph.node(walked.node_of(tensor))
        assert_same(node.gradient, figures(tensor.grad))
    for leaf in walked.leaves:
        assert_same(graph.node(walked.node_of(leaf)).gradient, figures(leaf.grad))


def test_each_edge_has_its_own_gradient_where_several_meet() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mid = x * 2
    loss = (mid * 5).sum() + (mid * 7).sum()
    walked, graph = probed(loss)
    at = walked.node_of(mid)
    into = [
        e.gradient.norm for n in graph.nodes for e in n.edges if e.target and e.target.index == at
    ]
    assert sorted(into) == pytest.approx([5 * math.sqrt(3), 7 * math.sqrt(3)])
    assert graph.node(at).gradient.norm == pytest.approx(12 * math.sqrt(3))


def test_a_leaf_used_all_over_gets_the_sum() -> None:
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    h = torch.ones(2)
    for _ in range(4):
        h = h * w
    _, graph = probed(h.sum())
    (leaf,) = graph.leaves
    assert_same(leaf.node.gradient, figures(w.grad))


def test_each_of_several_broadcast_inputs_has_its_own_sum() -> None:
    a, b, c = (torch.rand(1, 300).add(n).requires_grad_() for n in range(3))
    many = torch.rand(50, 1, requires_grad=True)
    mixed = torch.addcmul(a, b * many, c) + torch.lerp(a, many, c)
    walked, graph = probed((mixed * mixed).sum())
    for leaf in walked.leaves:
        assert_same(graph.node(walked.node_of(leaf)).gradient, figures(leaf.grad))
    for node in graph.nodes:
        for edge in node.edges:
            if edge.target and edge.target.leaf and edge.target.index == walked.node_of(c):
                assert edge.gradient.count == 300


def test_several_outputs_each_have_their_own() -> None:
    x = torch.arange(6.0, requires_grad=True)
    first, _, third = x.split(2)
    loss = (first * 2).sum() + (third * 3).sum()
    walked, graph = probed(loss)
    node = graph.node(walked.node_of(first))
    norms = [one and one.norm for one in node.gradients]
    assert norms == [pytest.approx(2 * math.sqrt(2)), None, pytest.approx(3 * math.sqrt(2))]
    assert node.gradient.count == 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_every_dtype(dtype: torch.dtype) -> None:
    x = torch.randn(7).to(dtype).requires_grad_()
    y = x * 3
    y.retain_grad()
    walked, graph = probed((y * y.conj()).real.sum() if dtype.is_complex else (y * y).sum())
    assert_same(graph.node(walked.node_of(y)).gradient, figures(y.grad))


def test_a_sparse_gradient_counts_what_it_leaves_out_as_zeros() -> None:
    table = nn.Embedding(10, 3, sparse=True)
    _, graph = probed(table(torch.tensor([1, 1, 4])).sum())
    (leaf,) = graph.leaves
    assert_same(leaf.node.gradient, figures(table.weight.grad))
    assert leaf.node.gradient.zeros == 24


def test_norms_neither_overflow_nor_vanish() -> None:
    for size, level in product((1e30, 1e-30), (Probe.NORMS, Probe.NODES)):
        x = torch.full((4,), 1.0, requires_grad=True)
        _, graph = probed((x * size).sum(), level)
        (leaf,) = graph.leaves
        assert leaf.node.gradient.norm == pytest.approx(2 * size, rel=1e-6)
        assert leaf.node.gradient.is_finite


OPERATIONS: list[Callable[[Tensor, Tensor], Tensor]] = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a - b.tanh(),
    lambda a, _: a.sin(),
    lambda a, b: torch.where(b > 0, a, b),
    lambda a, _: a[1:].sum() + a,
]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=9)
)
def test_any_graph_agrees_with_autograd_grad(steps: list[tuple[int, int, int]]) -> None:
    torch.manual_seed(1)
    tensors = [torch.randn(3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    for op, a, b in steps:
        left, right = tensors[a % len(tensors)], tensors[b % len(tensors)]
        tensors.append(OPERATIONS[op](left, right))
    loss = sum((t * t).sum() for t in tensors[2:]) + tensors[0].sum()
    made = [t for t in tensors if t.grad_fn is not None]
    expected = torch.autograd.grad(loss, made, retain_graph=True) if made else ()
    walked, graph = probed(loss)
    for tensor, gradient in zip(made, expected, strict=True):
        assert_same(graph.node(walked.node_of(tensor)).gradient, figures(gradient))
    assert graph.births == ()


# The program's backward is what it would have been


class Doubling(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        (_,) = ctx.saved_tensors
        return grad * 2


def mixed_model(reentrant: bool) -> list[Tensor]:
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Linear(6, 8), nn.Dropout(0.3), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 4)
    )
    table = nn.Embedding(5, 6, sparse=True)
    rows = table(torch.tensor([0, 3, 3, 1]))
    hidden = checkpoint(net, rows, use_reentrant=reentrant)
    loss = (Doubling.apply(hidden).softmax(-1) * torch.randn(4, 4)).sum() + hidden.std()
    return [loss, *net.parameters(), *table.parameters()]


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("level", [Probe.TIMES, Probe.NORMS, Probe.NODES])
def test_the_gradients_are_the_same_bit_for_bit(level: Probe, reentrant: bool) -> None:
    plain, *parameters = mixed_model(reentrant)
    plain.backward()
    expected = [one.grad.to_dense() for one in parameters]
    state = torch.get_rng_state()
    loss, *parameters = mixed_model(reentrant)
    probed(loss, level)
    for one, gradient in zip(parameters, expected, strict=True):
        assert torch.equal(one.grad.to_dense(), gradient)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_gradient_with_a_graph_of_its_own_is_not_made_larger() -> None:
    def second_order(level: Probe) -> tuple[Tensor, int]:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        loss = (x**3).sum()
        found: list[Tensor] = []
        probed(loss, level, lambda: found.extend(torch.autograd.grad(loss, x, create_graph=True)))
        graph = walk(found).graph
        return torch.autograd.grad(found[0].sum(), x)[0], len(graph)

    plain, probed_too = second_order(Probe.LEAVES), second_order(Probe.NODES)
    assert torch.equal(plain[0], torch.tensor([6.0, 12.0]))
    assert torch.equal(probed_too[0], plain[0])
    assert probed_too[1] == plain[1]


class Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_a_mode_of_the_program_sees_its_own_operations_only() -> None:
    def seen(level: Probe) -> list[str]:
        x = torch.ones(3, requires_grad=True)
        loss = (x.exp() * 2).sum()
        mode = Counting()
        with mode:
            probed(loss, level)
        return mode.seen

    assert seen(Probe.NODES) == seen(Probe.LEAVES) != []


def test_an_error_in_backward_is_the_programs_and_the_hooks_are_gone() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    loss = (y * 2).sum()
    y.register_hook(lambda _: 1 / 0)
    walked = walk([loss])
    probes = Probes(walked, Probe.NODES)
    with pytest.raises(ZeroDivisionError), probes:
        loss.backward()
    assert probes.put_into(walked.graph).node_table.turn.max() >= 0
    assert probes._hooks == []


def test_nothing_is_kept_alive() -> None:
    class Held(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad

    x = torch.ones(2, requires_grad=True)
    y = Held.apply(x)
    gone = weakref.ref(y.grad_fn)
    walked = walk([y.sum()])
    with Probes(walked, Probe.NODES):
        torch.autograd.grad(y.sum(), x)
    del walked, y
    gc.collect()
    assert gone() is None


# Backwards of other kinds


def test_only_what_was_asked_for_is_run() -> None:
    x, w = (torch.ones(2, requires_grad=True) for _ in range(2))
    loss = (x.exp() * w.sin()).sum()
    walked, graph = probed(loss, backward=lambda: torch.autograd.grad(loss, x))
    ran = {graph.node(int(i)).title for i in np.flatnonzero(graph.node_table.turn >= 0)}
    assert "exp" in ran
    assert "sin" not in ran
    assert walked.leaves[0].grad is None


def test_batched_gradients_have_times_and_no_figures() -> None:
    x = torch.arange(3.0, requires_grad=True)
    y = x * x
    rows = torch.eye(3)
    found: list[Tensor] = []
    _, graph = probed(
        y, backward=lambda: found.extend(torch.autograd.grad(y, x, rows, is_grads_batched=True))
    )
    assert torch.equal(found[0], torch.diag(2 * x.detach()))
    assert graph.node_table.spent.max() > 0
    assert graph.node(0).gradient is None


def test_nodes_have_turns_in_the_order_of_the_engine() -> None:
    x = torch.ones(2, requires_grad=True)
    _, graph = probed(x.sin().cos().exp().sum())
    order = sorted(graph.nodes, key=lambda node: node.turn)
    assert [node.title for node in order] == ["sum", "exp", "cos", "sin", "AccumulateGrad"]
    assert all(node.spent > 0 for node in order)


# Levels


def test_times_alone_measure_no_gradient_and_norms_no_more_than_norms() -> None:
    def at(level: Probe) -> Graph:
        x = torch.tensor([0.0, 2.0], requires_grad=True)
        return probed((x * x).sum(), level)[1]

    assert len(at(Probe.TIMES).passed_table.norm) == 0
    assert at(Probe.TIMES).node_table.spent.min() > 0
    norms = at(Probe.NORMS).node(1).gradient
    assert (norms.norm, norms.zeros) == (torch.ones(2).norm().item(), -1)
    assert math.isnan(norms.max)
    assert math.isnan(norms.zero_share)
    assert at(Probe.LEAVES).node_table.turn.max() == -1


def test_the_size_of_the_graph_chooses_unless_somebody_does() -> None:
    small = walk([torch.ones(1, requires_grad=True) * 2]).graph

    class Large:
        def __len__(self) -> int:
            return MOST_NODES + 1

    assert probe_for(small, None) is Probe.NODES
    assert probe_for(Large(), None) is Probe.LEAVES
    assert probe_for(Large(), Probe.NORMS) is Probe.NORMS
