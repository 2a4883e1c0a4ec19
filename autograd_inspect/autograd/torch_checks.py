"""What torch's own checks say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.autograd.gradcheck import GradcheckError

from autograd_inspect.model.gradcheck import PASSES

Check = Callable[..., bool]

#: They make whole Jacobians: of no more elements than this; else they look along one direction.
_WHOLE, _TOO_LARGE = 2**14, 2**20
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
