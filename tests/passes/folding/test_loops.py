"""Repeats in small programs of torch: where they begin, how often they come, and what is none."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import autograd_inspect
from autograd_inspect.model.folds import FoldKind, Folds
from autograd_inspect.passes.folding.build import fold


def folds_of(program: Callable[[], torch.Tensor]) -> Folds:
    torch.manual_seed(0)
    with autograd_inspect.record():
        loss = program()
    return fold(autograd_inspect.trace(loss))


def repeats(folds: Folds) -> list[tuple[int, int, int]]:
    """Give the first row, the row after the last, and the number of instances of each repeat."""
    table = folds.table
    found = np.flatnonzero(table.kind == FoldKind.REPEAT)
    columns = table.first[found], table.stop[found], table.times[found]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def ops(folds: Folds, first: int, stop: int) -> list[str]:
    return [folds.graph.node(int(folds.node[row])).title for row in range(first, stop)]


def test_a_state_to_be_learned_begins_the_loop_as_its_first_turn() -> None:
    def program() -> torch.Tensor:
        state = torch.zeros(2, 4, requires_grad=True)
        weight = torch.randn(4, 4, requires_grad=True)
        for _ in range(6):
            state = torch.tanh(state @ weight + 1)
        return state.sum()

    assert repeats(folds_of(program)) == [(0, 18, 6)]


def test_a_state_that_needs_no_gradient_begins_it_too() -> None:
    def program() -> torch.Tensor:
        state, weight = torch.zeros(2, 4), torch.randn(4, 4, requires_grad=True)
        for _ in range(6):
            state = torch.tanh(state @ weight + 1)
        return state.sum()

    assert repeats(folds_of(program)) == [(0, 18, 6)]


def test_a_turn_may_need_the_two_before_it() -> None:
    def program() -> torch.Tensor:
        before, here = torch.rand(2, 3, requires_grad=True)
        for _ in range(10):
            before, here = here, 1.9 * here - before + torch.sin(here)
        return here.sum()

    folds = folds_of(program)
    (loop,) = repeats(folds)
    assert loop[2] == 10
    assert ops(folds, loop[0], loop[0] + 4) == ["mul", "sub", "sin", "add"]


def test_projections_side_by_side_are_no_repeat_but_many_heads_are() -> None:
    def side_by_side(count: int) -> Callable[[], torch.Tensor]:
        def program() -> torch.Tensor:
            x = torch.randn(3, 4, requires_grad=True).exp()
            return torch.stack([part(x) for part in (nn.Linear(4, 4),) * count]).sum()

        return program

    assert repeats(folds_of(side_by_side(3))) == []
    assert repeats(folds_of(side_by_side(4))) == []
    assert repeats(folds_of(side_by_side(12))) == [(1, 13, 12)]


def test_layers_of_two_kinds_in_turn_are_one_loop_of_both() -> None:
    def program() -> torch.Tensor:
        x = torch.randn(3, 4)
        for _ in range(4):
            x = nn.Softplus()(nn.Linear(4, 4)(x))
            x = nn.LayerNorm(4)(nn.Linear(4, 4)(x))
        return x.sum()

    assert repeats(folds_of(program)) == [(0, 16, 4)]


def test_layers_of_other_sizes_are_none() -> None:
    def program() -> torch.Tensor:
        x = torch.randn(3, 4)
        for width in range(4, 10):
            x = torch.tanh(nn.Linear(width, width + 1)(x))
        return x.sum()

    assert repeats(folds_of(program)) == []


def test_layers_connected_in_turn_in_two_ways_are_a_loop_of_two() -> None:
    def program() -> torch.Tensor:
        start = torch.randn(3, 4, requires_grad=True).exp()
        x = start
        for turn in range(12):
            x = torch.tanh(x) * (x if turn % 2 else start)
        return x.sum()

    folds = folds_of(program)
    assert repeats(folds) == [(1, 25, 6)]
    assert ops(folds, 1, 5) == ["tanh", "mul", "tanh", "mul"]


def test_loops_begin_at_their_heads_though_what_is_before_them_looks_alike() -> None:
    def program() -> torch.Tensor:
        x = torch.randn(3, 4, requires_grad=True).exp()
        x = x + 1
        for _ in range(7):
            y = torch.sin(x)
            x = x + y
        return x.sum()

    folds = folds_of(program)
    assert repeats(folds) == [(2, 16, 7)]
    assert ops(folds, 2, 4) == ["sin", "add"]


def test_sequences_one_after_the_other_are_loops_in_a_loop() -> None:
    def program() -> torch.Tensor:
        weight, ends = torch.randn(4, 4, requires_grad=True), []
        for _ in range(9):
            state = torch.zeros(2, 4)
            for _ in range(5):
                state = torch.tanh(state @ weight)
            ends.append(state)
        return torch.stack(ends).sum()

    found = repeats(folds_of(program))
    assert found[0] == (0, 90, 9)
    assert found[1:] == [(start, start + 10, 5) for start in range(0, 90, 10)]


def test_writes_into_a_tensor_repeat_like_anything_else() -> None:
    def program() -> torch.Tensor:
        x = torch.rand(4, 8, requires_grad=True) * 1
        for column in range(8):
            x[:, column] = x[:, column] * 2
        return x.sum()

    folds = folds_of(program)
    assert [times for *_, times in repeats(folds)] == [8]
    assert (folds.arrows.source > folds.arrows.target).all()


def test_threads_number_their_operations_on_their_own() -> None:
    def program() -> torch.Tensor:
        weight, ends = torch.randn(4, 4, requires_grad=True), [torch.zeros(2, 4)] * 2

        def work(which: int) -> None:
            state = ends[which]
            for _ in range(6):
                state = torch.tanh(state @ weight)
            ends[which] = state

        for which in range(2):
            thread = threading.Thread(target=work, args=(which,))
            thread.start()
            thread.join()
        return torch.stack(ends).sum()

    folds = folds_of(program)
    assert (folds.arrows.source > folds.arrows.target).all()
    assert folds.whole.nodes.tolist() == [26]


def test_a_turn_that_has_been_left_out_parts_a_loop() -> None:
    def program() -> torch.Tensor:
        x = torch.randn(3, 4, requires_grad=True)
        for _ in range(12):
            x = torch.tanh(x) * 2 + 1
        return x.sum()

    whole = folds_of(program)
    assert repeats(whole) == [(0, 36, 12)]
    kept = np.ones(len(whole.graph), np.bool_)
    kept[whole.node[16]] = False
    parted = fold(whole.graph, kept=kept)
    assert [times for *_, times in repeats(parted)] == [5, 6]
    assert parted.omitted == 1
