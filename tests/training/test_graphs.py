"""What is said of graphs while a program trains, against the full walk."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import autograd_inspect
from autograd_inspect.analyses.memory import memory
from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS, next_sequence
from autograd_inspect.autograd.walker import walk
from autograd_inspect.training.graphs import Graphs, step_of, steps_behind


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * gradient * x**2


def losses() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1))
    batch = torch.randn(3, 5)
    lstm = nn.LSTM(5, 4)
    return {
        "mlp": net(batch).pow(2).mean(),
        "shared": (net(batch) * net(batch)).sum(),
        "function": Cube.apply(net(batch)).sum(),
        "checkpoint": checkpoint(net, batch, use_reentrant=False).sum(),
        "lstm": lstm(batch)[0].sum(),
    }


@pytest.mark.parametrize("name", losses())
def test_nodes_leaves_and_bytes_are_those_of_the_full_walk(name: str) -> None:
    loss = losses()[name]
    walked = walk([loss])
    unique = memory(autograd_inspect.trace(loss, backward=False)).unique
    seen, leaves = Graphs().look([loss], 1)
    assert seen.nodes == len(walked.graph)
    assert {id(leaf) for leaf in leaves} == {id(leaf) for leaf in walked.leaves}
    if SHOWS_SAVED_TENSORS:
        assert seen.saved == unique
    assert seen.earlier == 0


def test_a_graph_that_contains_an_earlier_one_tells_how_much_of_it() -> None:
    graphs = Graphs()
    weight = nn.Parameter(torch.ones(3))
    state = (weight * 2).sum()
    first, _ = graphs.look([state], 1)
    again, _ = graphs.look([state], 1)  # a second backward in the same step is no earlier one
    state = state + (weight * 3).sum()
    second, _ = graphs.look([state], 2)
    assert (first.earlier, again.earlier) == (0, 0)
    assert second.earlier == first.nodes - 1  # all but the leaf, which every step has


def test_a_graph_is_alive_for_as_long_as_any_of_its_nodes() -> None:
    graphs, weight = Graphs(), nn.Parameter(torch.ones(3))
    kept = []
    for step in range(1, 6):
        hidden = weight * step
        loss = hidden.sum()
        graphs.look([loss], step)
        loss.backward()
        if step % 2:
            kept.append(hidden)
    assert graphs.alive(6) == 3  # 1, 3 and 5
    assert graphs.alive(5) == 2
    assert step_of(kept[1]) == 3
    del kept, hidden, loss
    assert graphs.alive(6) == 0


def test_looking_keeps_no_tensor_alive() -> None:
    graphs, weight = Graphs(), nn.Parameter(torch.ones(3))

    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    before = alive()
    for step in range(10):
        loss = (weight * 2).exp().sum()
        graphs.look([loss], step)
        del loss
    assert alive() == before
    assert graphs.alive(11) == 0


@pytest.mark.parametrize(("steps", "told"), [(1, 0), (2, 0), (3, 3), (6, 6)])
def test_a_graph_that_no_backward_came_by_is_of_the_steps_it_was_made_in(
    steps: int, told: int
) -> None:
    weight = torch.ones(2, requires_grad=True)
    state, ends = torch.zeros(2), []
    for _ in range(steps):
        state = 0.9 * state + 0.1 * weight
        ends.append(next_sequence())
    # In two steps it is only not done with yet.
    assert steps_behind(state, ends) == told
