"""A function's first and second derivatives, against functions whose derivatives are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch

from autograd_inspect.autograd import function_checks
from autograd_inspect.autograd.function_checks import Settings, check_function
from autograd_inspect.errors import FunctionError
from autograd_inspect.model.gradcheck import Cause, FunctionCheck, Verdict

Tensors = Mapping[str, torch.Tensor]


def checked(
    function: Callable[..., torch.Tensor],
    settings: Settings | None = None,
    **inputs: torch.Tensor,
) -> FunctionCheck:
    def apply(given: Tensors) -> dict[str, torch.Tensor]:
        return {"f": function(**given)}

    return check_function("f", apply, inputs, {}, settings or Settings())


def values(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) + 0.5


def test_a_right_function_passes_in_both_orders_and_in_double() -> None:
    check = checked(lambda x, y: (x.sin() * y).sum(0), x=values(2, 3), y=values(2, 3))
    assert check.precision == "float64"
    assert (check.plain, check.second, check.is_finding) == ("passes", "passes", False)
    found = [(one.name, one.order, one.verdict) for one in check.inputs]
    assert found == [
        ("x", 1, Verdict.OK), ("y", 1, Verdict.OK),
        ("x", 2, Verdict.OK), ("y", 2, Verdict.OK), ("grad of f", 2, Verdict.OK),
    ]  # fmt: skip


def test_the_element_is_that_of_the_jacobian() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return x + torch.tensor([0.0, 1.0, 0.0]) * x.detach()[2] ** 2

    first, *_ = checked(function, x=torch.tensor([1.0, 2.0, 3.0])).inputs
    assert first.verdict is Verdict.WRONG
    assert first.worst is not None
    assert first.worst.index == (2,)
    assert first.wrong == 1


def test_a_detached_factor_halves_the_gradient() -> None:
    check = checked(lambda x: x * x.detach(), x=values(3))
    first, second, _ = check.inputs
    assert (first.verdict, first.cause) == (Verdict.WRONG, Cause.FACTOR)
    assert first.factor == pytest.approx(0.5)
    assert second.verdict is Verdict.WRONG
    assert check.plain.startswith("Jacobian mismatch")
    assert check.is_finding


def test_a_result_without_a_graph_has_no_gradient() -> None:
    first, *_ = checked(lambda x: x.detach().exp(), x=values(3)).inputs
    assert (first.verdict, first.cause) == (Verdict.WRONG, Cause.MISSING)


def test_only_the_second_derivative_is_wrong() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):  # type: ignore[no-untyped-def]
            (x,) = ctx.saved_tensors
            return grad * 3 * x.detach() ** 2

    def cube(x: torch.Tensor) -> torch.Tensor:
        return Cube.apply(x)  # type: ignore[no-untyped-call, no-any-return]

    check = checked(cube, x=values(3))
    first, second, by_grad = check.inputs
    assert (first.verdict, second.verdict, by_grad.verdict) == (
        Verdict.OK, Verdict.WRONG, Verdict.OK,
    )  # fmt: skip
    assert check.plain == "passes"
    assert second.worst is not None
    assert second.worst.analytic == 0
    without = checked(cube, Settings(second=False), x=values(3))
    assert [one.order for one in without.inputs] == [1]
    assert not without.is_finding


def test_complex_inputs() -> None:
    z = torch.complex(values(3), values(3).flip(0))
    check = checked(lambda z: (z * z * (2 + 1j)).abs(), z=z)
    assert [one.verdict for one in check.inputs] == [Verdict.OK] * 3


def test_large_results_are_looked_at_in_sums() -> None:
    check = checked(lambda x: x.exp(), x=values(20, 20))
    first = check.inputs[0]
    assert (first.verdict, first.total) == (Verdict.OK, 400)
    assert 0 < first.checked < 400
    assert first.worst is not None
    assert not first.worst.output


def test_tolerances_are_kept() -> None:
    loose = Settings(rtol=0.6, second=False)
    off = checked(lambda x: 0.7 * x + 0.3 * x.detach(), x=values(3))
    assert off.inputs[0].verdict is Verdict.WRONG
    within = checked(lambda x: 0.7 * x + 0.3 * x.detach(), settings=loose, x=values(3))
    assert within.inputs[0].verdict is Verdict.OK


def test_single_precision_where_the_function_insists() -> None:
    check = checked(lambda x: x @ torch.ones(3, 3), x=values(2, 3))
    assert (check.precision, check.is_finding) == ("float32", False)


def test_random_functions_are_held_at_one_draw() -> None:
    check = checked(lambda x: torch.dropout(x, 0.5, train=True), x=values(30))
    assert not check.is_finding
    assert not check.unchecked


def test_a_function_of_its_own_mind_is_not_checked() -> None:
    counts = iter(range(1, 100))
    assert "other results" in checked(lambda x: x * next(counts), x=values(2)).unchecked


def test_no_tensor_no_derivative() -> None:
    with pytest.raises(FunctionError, match="no tensor that has a derivative"):
        check_function("f", lambda given: {}, {"x": values(2)}, {}, Settings())


def test_draws_do_not_depend_on_the_device_that_tensors_are_made_on() -> None:
    like = [torch.ones(3), torch.ones(2, 2, dtype=torch.float64)]
    usual = function_checks._random(like, 3)
    with torch.device("meta"):
        elsewhere = function_checks._random(like, 3)
    assert all(torch.equal(one, other) for one, other in zip(usual, elsewhere, strict=True))
