"""A function of a program and its inputs by name, as tensors go in and come out."""

from __future__ import annotations

import copy
import types
from typing import Any

import pytest
import torch
from torch import nn

from autograd_inspect.errors import ExpressionError, FunctionError, UsageError
from autograd_inspect.tracing.expression import Expression
from autograd_inspect.tracing.function import Application, application_at_end, value_at_end


def program(**variables: Any) -> types.ModuleType:
    main = types.ModuleType("__main__")
    for value in variables.values():
        if isinstance(value, types.FunctionType):
            value.__module__ = "__main__"
    vars(main).update(variables)
    return main


def mix(x, y, *more, scale=1.0, **named):
    return {"sum": x + scale * y, "more": more, "named": named}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)

    def forward(self, batch, scale=1.0):
        return self.norm(self.layer(batch)) * scale


X, Y = torch.rand(3), torch.rand(3)


def bound(function: str, inputs: str, **variables: Any) -> Application:
    return application_at_end(function, inputs, program(x=X, y=Y, mix=mix, **variables))


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ("(x, y)", ["x", "y"]),
        ("[x, y, 2 * x]", ["x", "y", "more[0]"]),
        ("{'y': y, 'x': x}", ["y", "x"]),
        ("{'x': x, 'y': y, 'bias': x, 'scale': 2.0}", ["x", "y", "bias"]),
        ("(x, {'a': [x, y]})", ["x", "y['a'][0]", "y['a'][1]"]),
    ],
)
def test_inputs_are_named_by_the_parameters_they_go_to(inputs: str, names: list[str]) -> None:
    assert list(bound("mix", inputs).inputs) == names


@pytest.mark.parametrize(
    ("inputs", "names"), [("x", ["x"]), ("(x + 1)", ["x0"]), ("(x, y + 1)", ["x", "x1"])]
)
def test_those_of_a_builtin_by_the_text_that_gives_them(inputs: str, names: list[str]) -> None:
    assert list(bound("torch.mul", inputs).inputs) == names


def test_results_are_named_by_where_they_lie() -> None:
    results = bound("mix", "(x, y, x)")({})
    assert list(results) == ["mix['sum']", "mix['more'][0]"]
    assert torch.equal(results["mix['sum']"], X + Y)


def test_given_tensors_take_the_place_of_the_programs() -> None:
    results = bound("mix", "(x, y)")({"y": torch.ones(3)})
    assert torch.equal(results["mix['sum']"], X + 1)


def test_a_module_has_its_parameters_and_keeps_its_statistics() -> None:
    net, batch = Net(), torch.rand(4, 3)
    mean = net.norm.running_mean.clone()
    application = bound("net", "batch", net=net, batch=batch)
    assert list(application.inputs) == ["batch"]
    assert list(application.parameters) == [f"net.{name}" for name, _ in net.named_parameters()]
    assert list(application.choose(["layer.bias", "batch"])) == ["net.layer.bias", "batch"]
    bias = torch.full((2,), 5.0)
    moved = application({"net.norm.bias": bias})["net"]
    assert torch.equal(net.norm.running_mean, mean)
    reference = copy.deepcopy(net)
    torch.nn.init.constant_(reference.norm.bias, 5.0)
    assert torch.equal(moved, reference(batch))


def test_what_the_function_does_to_its_inputs_does_not_reach_the_program() -> None:
    def spoils(x):
        x.zero_()
        return x

    before = X.clone()
    bound("spoils", "x", spoils=spoils)({})
    assert torch.equal(X, before)


def test_a_lambda_is_called_f() -> None:
    application = bound("lambda a: a * y", "x")
    assert torch.equal(application({})["f"], X * Y)


@pytest.mark.parametrize(
    ("function", "inputs", "said", "hint"),
    [
        ("mixx", "x", "nothing named 'mixx'", "did you mean mix?"),
        ("x", "x", "x is a Tensor [3], not a function", "functions of the program: mix"),
        ("Net", "x", "Net is a class", "mix"),
        ("mix", "x", "missing a required argument: 'y'", ""),
        ("mix", "nope", "nothing named 'nope'", ""),
        ("mix", "(1.0, 2)", "x is a float, not a tensor", "torch.tensor(1.0)"),
        ("mix", "()", "missing a required argument: 'x'", ""),
        ("torch.mul", "()", "holds no tensor", "(x, y)"),
        ("mix", "x[7]", "IndexError", "among the script's variables"),
    ],
)
def test_what_cannot_be_is_said(function: str, inputs: str, said: str, hint: str) -> None:
    with pytest.raises((FunctionError, ExpressionError)) as caught:
        bound(function, inputs, Net=Net)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_integers_have_no_derivative_and_are_not_chosen() -> None:
    application = bound("mix", "(x, n)", n=torch.arange(3))
    assert list(application.choose([])) == ["x"]
    with pytest.raises(UsageError, match=r"y has dtype torch\.int64"):
        application.choose(["y"])


def test_a_name_that_is_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        bound("mix", "(x, y)").choose(["z"])
    assert "x, y" in caught.value.hint


def test_what_the_function_raises_is_the_cause() -> None:
    def fails(x):
        raise ValueError("no good\nat all")

    with pytest.raises(FunctionError, match=r"fails raised ValueError .* x \[3\]: no good") as e:
        bound("fails", "x", fails=fails)({})
    assert isinstance(e.value.__cause__, ValueError)


def test_torch_is_there_under_its_name() -> None:
    value = value_at_end(Expression("torch.ones(2)"), program())
    assert torch.equal(value, torch.ones(2))
