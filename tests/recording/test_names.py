"""Variables, modules and stacks, by programs whose answers are written beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

import autograd_inspect as agi
from autograd_inspect import Graph, Kind, Node

positions = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not tell positions of instructions"
)


def named(graph: Graph, op: str) -> list[str]:
    return [node.variable for node in graph.nodes if node.title == op]


def graph_of(function: object) -> Graph:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with agi.record():
        loss = function(x)  # type: ignore[operator]
    return agi.trace(loss).graph


@positions
def test_an_assignment_names_the_operation_that_makes_its_value() -> None:
    def f(x: Tensor) -> Tensor:
        h = (x * 2).exp()
        left, right = h.split([1, 2])
        self = nn.Module()
        self.kept = left.sin()
        total: Tensor = right.cos()
        if (peak := total.tanh()).sum() > 0:
            pass
        total += peak
        return (self.kept + total).sum()

    graph = graph_of(f)
    assert named(graph, "exp") == ["h"]
    assert named(graph, "mul") == [""]
    assert named(graph, "split_with_sizes") == ["left, right"]
    assert named(graph, "sin") == ["self.kept"]
    assert named(graph, "cos") == ["total"]
    assert named(graph, "tanh") == ["peak"]
    assert "total" in named(graph, "add")


@positions
def test_a_loop_names_every_turn_and_a_return_goes_on_in_the_caller() -> None:
    def step(h: Tensor) -> Tensor:
        return torch.tanh(h)

    def f(x: Tensor) -> Tensor:
        h = x
        for _ in range(4):
            h = step(h)
        return h.sum()

    graph = graph_of(f)
    assert named(graph, "tanh") == ["h"] * 4
    assert named(graph, "sum") == ["loss"]


@positions
def test_of_several_nodes_of_one_expression_only_the_value_is_named() -> None:
    layer = nn.Linear(3, 2)

    def f(x: Tensor) -> Tensor:
        out = layer(x.unsqueeze(0))
        return out.sum()

    graph = graph_of(f)
    assert named(graph, "addmm") == ["out"]
    assert named(graph, "t") == [""]
    assert named(graph, "unsqueeze") == [""]


@positions
def test_a_compiled_call_names_its_value() -> None:
    layer = torch.compile(nn.Linear(3, 2), backend="aot_eager")

    def f(x: Tensor) -> Tensor:
        out = layer(torch.ones(1, 3))
        return (out * x.sum()).sum()

    compiled = [node for node in graph_of(f).nodes if node.kind is Kind.COMPILED]
    assert [node.variable for node in compiled] == ["out"]
    assert [node.place.function for node in compiled if node.place] == ["f"]


def test_a_variable_that_lives_goes_before_what_the_line_says() -> None:
    x = torch.ones(3, requires_grad=True)
    with agi.record():
        first = x.exp()
        loss = (first + first.sin()).sum()
    kept = {"again": first}
    del first
    assert named(agi.trace(loss).graph, "exp") == ["kept['again']"]
    assert kept


def test_a_grad_fn_bound_to_a_name_names_its_node() -> None:
    x = torch.ones(3, requires_grad=True)
    with agi.record():
        y = (x * 2).exp()
        loss = y.sum()
    step = y.grad_fn
    del y
    assert named(agi.trace(loss).graph, "exp") == ["step"]
    assert step is not None


def test_tied_parameters_have_all_their_paths() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(5, 3)
            self.head = nn.Linear(3, 5, bias=False)
            self.head.weight = self.words.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.words(x))

    net = Tied()
    with agi.record():
        loss = net(torch.arange(3)).sum()
    (leaf,) = agi.trace(loss).graph.leaves
    assert (leaf.name, leaf.aliases) == ("net.words.weight", ("net.head.weight",))


class Layered(nn.Module):
    """Layers in a plain list, of which `nn.Module` knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(3, 3), nn.Linear(3, 3)]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return nn.Softplus()(x)


def test_modules_that_are_not_registered_are_named_by_where_they_are() -> None:
    net = Layered()
    graph = graph_of(net)
    paths = {node.call.module.path for node in graph.nodes if node.call and node.title == "addmm"}
    assert paths <= {"layers[0]", "layers[1]"}
    made = [node.call.module for node in graph.nodes if node.call and node.title == "softplus"]
    assert [(module.path, module.cls) for module in made] == [("Softplus", "Softplus")]


def stack_of(node: Node) -> list[str]:
    return [place.function for place in node.stack]


def test_the_stack_tells_the_way_from_the_innermost_line_out() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return helper(x)

    def helper(x: Tensor) -> Tensor:
        return x.exp()

    def train(x: Tensor) -> Tensor:
        return net(x).sum()

    net = Net()
    graph = graph_of(train)
    (exp,) = (node for node in graph.nodes if node.title == "exp")
    assert stack_of(exp)[:4] == ["helper", "forward", "train", "graph_of"]


def test_the_same_helper_called_from_two_lines_has_two_stacks() -> None:
    def helper(x: Tensor) -> Tensor:
        return x.exp()

    def f(x: Tensor) -> Tensor:
        first = helper(x)
        second = helper(x)
        return (first + second).sum()

    stacks = {node.stack for node in graph_of(f).nodes if node.title == "exp"}
    assert len(stacks) == 2
    assert len({stack[0] for stack in stacks}) == 1


@contextmanager
def as_python_has_it() -> Iterator[None]:
    names = ("set_anomaly_enabled", "is_anomaly_enabled", "is_anomaly_check_nan_enabled")
    before = [getattr(torch, name) for name in names]
    functions = (
        torch.autograd.Function.apply,
        nn.Parameter.__new__,
        torch.inference_mode.__enter__,
    )
    yield
    assert [getattr(torch, name) for name in names] == before
    assert torch.fx.traceback.format_stack.__module__ == "torch.fx.traceback"
    assert functions == (
        torch.autograd.Function.apply,
        nn.Parameter.__new__,
        torch.inference_mode.__enter__,
    )
    assert torch._C._len_torch_function_stack() == 0
    assert not torch.is_anomaly_enabled()


@pytest.mark.parametrize("watch", [False, True])
def test_nothing_is_left_behind(watch: bool) -> None:
    def fail() -> None:
        with agi.record(watch=watch):
            raise KeyError

    with as_python_has_it(), pytest.raises(KeyError):
        fail()


def test_the_program_sees_its_own_anomaly_mode() -> None:
    with agi.record():
        assert not torch.is_anomaly_enabled()
        with torch.autograd.set_detect_anomaly(True):
            assert torch.is_anomaly_enabled()
            x = torch.zeros(2, requires_grad=True)
            loss = (x.sqrt() * 0).sum()
            with (
                pytest.warns(UserWarning, match="Error detected in SqrtBackward0") as caught,
                pytest.raises(RuntimeError, match="SqrtBackward0"),
            ):
                loss.backward()
        assert not torch.is_anomaly_enabled()
    assert __file__ in str(caught[0].message)
    assert "autograd_inspect" not in str(caught[0].message)
