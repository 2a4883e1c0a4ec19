"""What was computed, as blocks with names and values of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from autograd_inspect.autograd.functional import Function, dtype_of
from autograd_inspect.model.derivatives import Block, Mode, Variable


def blocks_of(function: Function, mode: Mode, found: Sequence[torch.Tensor]) -> list[Block]:
    """Name what was computed, and notice which inputs have no path from an output."""
    values = [as_numpy(tensor) for tensor in found]
    paths = [True] * len(values)
    if mode is Mode.JACOBIAN and not all(one.any() for one in values):
        paths = _reached(function)
    every = zip(_pairs(function, mode), found, values, paths, strict=True)
    return [
        Block(*names, dtype_of(tensor), numbers, unreached=not path)
        for names, tensor, numbers, path in every
    ]


def variables(names: Sequence[str], tensors: Sequence[torch.Tensor]) -> list[Variable]:
    """Describe inputs or outputs, with their values."""
    return [
        Variable(name, tuple(t.shape), dtype_of(t), as_numpy(t))
        for name, t in zip(names, tensors, strict=True)
    ]


def as_numpy(tensor: torch.Tensor) -> Any:
    """Give the values; numpy has no bfloat16, whose values float32 holds exactly."""
    plain = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach()
    plain = plain.resolve_conj().resolve_neg().cpu()
    return (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()


def _pairs(
    function: Function, mode: Mode
) -> list[tuple[str, str, tuple[int, ...], tuple[int, ...]]]:
    """Give row, column and the shapes of both for each block of a mode."""
    inputs = [
        (n, tuple(x.shape)) for n, x in zip(function.input_names, function.inputs, strict=True)
    ]
    outputs = [
        (n, tuple(y.shape)) for n, y in zip(function.output_names, function.outputs, strict=True)
    ]
    if not mode.is_matrix:
        return [(n, "", shape, ()) for n, shape in (outputs if mode is Mode.JVP else inputs)]
    rows = inputs if mode is Mode.HESSIAN else outputs
    return [(y, x, of_y, of_x) for y, of_y in rows for x, of_x in inputs]


def _reached(function: Function) -> list[bool]:
    """Tell for each output and input whether there is a path of the graph between them."""
    with torch.enable_grad():
        inputs = tuple(x.detach().requires_grad_() for x in function.inputs)
        outputs = function.call(*inputs)
        found: list[bool] = []
        for y in outputs:
            if not y.requires_grad:
                found += [False] * len(inputs)
                continue
            given = torch.autograd.grad(
                y, inputs, torch.ones_like(y), retain_graph=True, allow_unused=True
            )
            found += [gradient is not None for gradient in given]
    return found
