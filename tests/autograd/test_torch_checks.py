"""Second derivatives along directions, of inputs so large that torch's own check lets all pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.autograd import Function

from autograd_inspect.autograd.torch_checks import second_says
from autograd_inspect.model.gradcheck import PASSES

Tensor = torch.Tensor


class Silu(Function):
    """Computes all that depends on its input again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * s * (1 + x * (1 - s))


class SiluOfSaved(Silu):
    """Saves an intermediate, which has no graph."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        s = torch.sigmoid(x)
        ctx.save_for_backward(x, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        x, s = ctx.saved_tensors
        return grad * s * (1 + x * (1 - s))


@pytest.mark.parametrize("size", [3, 5000])
def test_a_gradient_of_the_gradient_that_is_wrong_shows_at_any_size(size: int) -> None:
    x = torch.randn(size, dtype=torch.float64)
    v = torch.randn(size, dtype=torch.float64)
    assert second_says(Silu.apply, [x], [v]) == PASSES
    assert "along a random direction" in second_says(SiluOfSaved.apply, [x], [v])


def test_functions_without_curvature_and_with_large_values_pass() -> None:
    x = 1e6 * torch.randn(100, dtype=torch.float64)
    assert second_says(lambda a: 3 * a, [x], [torch.ones_like(x)]) == PASSES
    assert second_says(lambda a: (a * a, a.sum()), [x], [torch.ones_like(x), x[0]]) == PASSES
