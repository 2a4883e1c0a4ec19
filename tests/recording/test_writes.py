"""Which line last wrote to what a node saved: the answer to "modified by an inplace operation"."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn

import autograd_inspect as agi
from autograd_inspect import Capture

Case = Callable[[Tensor], Tensor]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


@case
def add_to_result(a: Tensor) -> Tensor:
    y = a.sigmoid()
    y += 1  # WRITES
    return y


@case
def method(a: Tensor) -> Tensor:
    y = a.exp()
    z = y * 2
    y.mul_(3)  # WRITES
    return z + y


@case
def relu_in_place(a: Tensor) -> Tensor:
    y = a * 2
    z = y.square()
    nn.functional.relu(y, inplace=True)  # WRITES
    return z


@case
def index_assignment(a: Tensor) -> Tensor:
    states = torch.zeros(3, 2)
    for step in range(2):
        states[step + 1] = a[:2] * states[step]  # WRITES
    return states


@case
def through_a_view(a: Tensor) -> Tensor:
    y = a.tanh()
    y[0].zero_()  # WRITES
    return y


@case
def under_no_grad(a: Tensor) -> Tensor:
    y = a * 2
    z = y * y
    with torch.no_grad():
        y.add_(1)  # WRITES
    return z


@case
def optimizer_step(a: Tensor) -> Tensor:
    layer = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    y = layer(a * 2)
    layer(a).sum().backward(retain_graph=True)
    optimizer.step()  # WRITES
    return y


class OwnOptimizer(torch.optim.Optimizer):
    """One of the program's own, whose lines are the program's."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for one in self.param_groups[0]["params"]:
            one.add_(one.grad, alpha=-0.1)


def own_optimizer(a: Tensor) -> Tensor:
    layer = nn.Linear(3, 3)
    optimizer = OwnOptimizer(layer.parameters())
    y = layer(a * 2)
    layer(a).sum().backward(retain_graph=True)
    optimizer.step()
    return y


def closure_of_a_step(a: Tensor) -> Tensor:
    layer = nn.Linear(3, 3)
    y = a.sigmoid()

    def closure() -> float:
        y.mul_(2)  # WRITES
        loss = layer(a.detach()).square().sum()
        loss.backward()
        return float(loss.detach())

    torch.optim.SGD(layer.parameters(), lr=0.1).step(closure)
    return y


def traced(function: Case) -> tuple[Capture, Tensor]:
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with agi.record(watch=True):
        loss = function(a).sum()
    return agi.trace(loss), loss


def line_that_writes(function: Case) -> int:
    lines, first = inspect.getsourcelines(function)
    (found,) = (number for number, line in enumerate(lines, first) if "# WRITES" in line)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_line_that_spoiled_a_saved_tensor_is_known(name: str) -> None:
    capture, loss = traced(CASES[name])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    stale = [saved for node in capture.graph.nodes for saved in node.saved if saved.stale]
    assert stale
    places = [saved.write.place for saved in stale if saved.write is not None]
    assert len(places) == len(stale)
    assert {place.line for place in places if place} == {line_that_writes(CASES[name])}
    assert {place.function for place in places if place} == {name}


@pytest.mark.parametrize(
    ("function", "op"), [(optimizer_step, "SGD.step"), (own_optimizer, "Tensor.add_")]
)
def test_a_step_of_torch_is_one_write_and_the_programs_own_is_read(function: Case, op: str) -> None:
    capture, _ = traced(function)
    stale = [saved for node in capture.graph.nodes for saved in node.saved if saved.stale]
    assert {one.write.op for one in stale if one.write} == {op}


def test_what_the_closure_of_a_step_does_is_the_programs() -> None:
    capture, _ = traced(closure_of_a_step)
    (write,) = {saved.write for node in capture.graph.nodes for saved in node.saved if saved.stale}
    assert write is not None
    assert write.place is not None
    assert (write.place.line, write.place.function) == (
        line_that_writes(closure_of_a_step),
        "closure",
    )


def test_a_write_before_the_tensor_was_saved_spoils_nothing() -> None:
    def early(a: Tensor) -> Tensor:
        y = a * 2
        y.add_(1)
        return y * y

    capture, loss = traced(early)
    loss.backward()
    saved = [saved for node in capture.graph.nodes for saved in node.saved]
    assert not any(one.stale for one in saved)
    assert {one.write.op for one in saved if one.write} == {"Tensor.add_"}


def test_without_the_close_watch_there_are_no_writes() -> None:
    a = torch.ones(3, requires_grad=True)
    with agi.record():
        y = a.sigmoid()
        y += 1
        loss = y.sum()
    graph = agi.trace(loss).graph
    assert any(saved.stale for node in graph.nodes for saved in node.saved)
    assert not len(graph.write_table.op)
    assert not graph.cuts
