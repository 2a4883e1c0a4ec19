"""What torch's own checks say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.autograd.gradcheck import GradcheckError

from autograd_inspect.model.gradcheck import PASSES

Check = Callable[..., bool]
Function = Callable[..., Any]
Tensors = Sequence[torch.Tensor]
Derived = Sequence[torch.Tensor | None]

#: They make whole Jacobians: of no more elements than this; else they look along one direction.
_WHOLE, _TOO_LARGE = 2**14, 2**20
#: Directions along which a gradient is differentiated, how far, and how far off it may be.
_DIRECTIONS, _STEP, _OFF = 3, 1e-5, 1e-2
#: Of a message of theirs, which may have a whole Jacobian in it.
_LONGEST = 120


def torch_says(
    check: Check,
    function: Callable[..., Any],
    inputs: Sequence[torch.Tensor],
    outputs: Sequence[torch.Tensor],
    **options: float,
) -> str:
    """Give `passes`, what the check has against the function, or nothing where it is too large."""
    size = sum(one.numel() for one in inputs) * sum(one.numel() for one in outputs)
    if size > _TOO_LARGE or not size:
        return ""
    fast = bool(options.pop("fast", size > _WHOLE))
    leaves = tuple(one.detach().clone().requires_grad_() for one in inputs)
    try:
        check(function, leaves, fast_mode=fast, **options)
    except GradcheckError as error:
        return _in_a_line(error)
    except Exception as error:  # noqa: BLE001 - it is the program's code that runs here
        return f"{type(error).__name__}: {_in_a_line(error)}"
    return PASSES


def second_says(function: Function, inputs: Tensors, upstream: Tensors) -> str:
    """Hold the derivative of a gradient against differences, along a few directions.

    The larger the input, the more torch's own check lets pass in its fast mode. Gives `passes`, or
    what differs.
    """
    generator = torch.Generator().manual_seed(0)
    weights = [_drawn(one, generator) for one in inputs]
    with torch.enable_grad():
        points = [one.detach().clone().requires_grad_() for one in inputs]
        here = _weighed(function, points, upstream, weights)
        derived: Derived = torch.autograd.grad(here.sum(), points, allow_unused=True)
        noise = here.abs().sum().item() * torch.finfo(here.dtype).eps / _STEP
        for _ in range(_DIRECTIONS):
            ways = [_STEP * _drawn(one, generator).sign() for one in inputs]
            ahead = _weighed(function, _moved(inputs, ways, 1), upstream, weights)
            behind = _weighed(function, _moved(inputs, ways, -1), upstream, weights)
            numeric = (ahead - behind).sum().item() / (2 * _STEP)
            parts = [d * way / _STEP for d, way in zip(derived, ways, strict=True) if d is not None]
            analytic = sum(one.sum().item() for one in parts)
            size = sum(one.square().sum().item() for one in parts) ** 0.5
            if abs(analytic - numeric) > _OFF * max(abs(numeric), size) + 100 * noise:
                return (
                    f"along a random direction the gradient changes by {numeric:.6g}, and double "
                    f"backward says {analytic:.6g}"
                )
    return PASSES


def _weighed(
    function: Function, points: Tensors, upstream: Tensors, weights: Tensors
) -> torch.Tensor:
    """Compute the gradients at a point, with their graph and each with its weight, in one."""
    found = function(*points)
    outputs = found if isinstance(found, tuple) else (found,)
    gradients: Derived = torch.autograd.grad(
        outputs, points, upstream, create_graph=True, allow_unused=True
    )
    pairs = zip(gradients, weights, strict=True)
    # The last makes it depend on the inputs even if no gradient does.
    terms = [(one * w).reshape(-1) for one, w in pairs if one is not None]
    return torch.cat([*terms, 0 * outputs[0].reshape(-1)])


def _moved(inputs: Tensors, ways: Tensors, sign: int) -> list[torch.Tensor]:
    pairs = zip(inputs, ways, strict=True)
    return [(one.detach() + sign * way).requires_grad_() for one, way in pairs]


def _drawn(like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype, device="cpu")
    return drawn.to(like.device)


def why_once(gradients: Iterable[torch.Tensor | None]) -> str:
    """Say why gradients cannot be differentiated again; empty where they can.

    Into all leaves: of `once_differentiable` the way to those asked for would not lead to the node
    that refuses.
    """
    deep = [one for one in gradients if one is not None and one.requires_grad]
    try:
        if deep:
            torch.autograd.backward(deep, [torch.ones_like(one) for one in deep], retain_graph=True)
    except RuntimeError as error:
        return _in_a_line(error)
    return ""


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
