"""Derivatives of a function by `torch.autograd.functional` and `torch.func`.

Every number is the very one that torch's own function gives for the same strategy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.autograd import forward_ad, functional

from autograd_inspect.errors import AgiError, FunctionError, UsageError
from autograd_inspect.model.derivatives import Mode

#: Torch gives no types for these.
torchs: Any = functional
forward: Any = forward_ad

Result = TypeVar("Result")
Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """What is differentiated: tensors in, tensors out, with their names.

    outputs  what it gives for the inputs
    draws    whether it draws random numbers, the same ones at each call
    """

    name: str
    call: Callable[..., Tensors]
    inputs: Tensors
    input_names: tuple[str, ...]
    outputs: Tensors
    output_names: tuple[str, ...]
    draws: bool = False

    def scalar(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Call a function of one output, which is to be a scalar."""
        return self.call(*inputs)[0]

    @property
    def is_complex(self) -> bool:
        """Whether any number is complex."""
        return any(tensor.is_complex() for tensor in (*self.inputs, *self.outputs))


@dataclass(frozen=True, slots=True)
class Way:
    """What to compute of a function, and how.

    vector  what the matrix is multiplied by, a tensor for each output (vjp) or input
    """

    mode: Mode
    forward: bool = False
    vectorize: bool = False
    vector: Tensors | None = None


def differentiate(function: Function, way: Way) -> list[torch.Tensor]:
    """Compute; gives a tensor per block, row by row.

    Raises UsageError where the way does not suit the function, and FunctionError where torch cannot
    differentiate it.
    """
    _check(function, way)
    if not way.mode.is_matrix:
        return list(_product(function, way))
    _check_memory(function, way)
    return _whole(function, way)


def dtype_of(tensor: torch.Tensor) -> str:
    """Name a dtype as users do: `float32`."""
    return str(tensor.dtype).removeprefix("torch.")


def attempt(what: str, compute: Callable[[], Result]) -> Result:
    """Let torch compute; raises FunctionError from what it raises, in the words of the user."""
    try:
        return compute()
    except AgiError:
        raise
    except Exception as error:
        said = str(error).strip().partition("\n")[0]
        raise FunctionError(f"{what}: {type(error).__name__}: {said}".rstrip(": ")) from error


def push_forward(function: Function, tangents: Sequence[torch.Tensor]) -> Tensors:
    """Multiply the Jacobian by a vector in forward mode, with no backward at all."""
    with forward.dual_level():
        pairs = zip(function.inputs, tangents, strict=True)
        results = function.call(*(forward.make_dual(x.clone(), t) for x, t in pairs))
        moved = [forward.unpack_dual(result) for result in results]
        return tuple(
            torch.zeros_like(one.primal) if one.tangent is None else one.tangent.clone()
            for one in moved
        )


def multiply_hessian(function: Function, tangents: Sequence[torch.Tensor]) -> Tensors:
    """Multiply the Hessian by a vector: forward mode through the gradient."""
    every = tuple(range(len(function.inputs)))
    gradient = torch.func.grad(lambda *xs: function.scalar(*xs).squeeze(), argnums=every)
    return tuple(torch.func.jvp(gradient, function.inputs, tuple(tangents))[1])


def _whole(function: Function, way: Way) -> list[torch.Tensor]:
    """Compute all blocks; those of nothing, which torch's own functions stumble over, are ours."""
    full = [n for n, x in enumerate(function.inputs) if x.numel()]
    if way.mode is Mode.HESSIAN:
        sides = [function.inputs] * 2
        rows = full
    else:
        sides = [function.outputs, function.inputs]
        rows = [n for n, y in enumerate(function.outputs) if y.numel()]

    def call(*inputs: torch.Tensor) -> Any:
        given = list(function.inputs)
        for place, tensor in zip(full, inputs, strict=True):
            given[place] = tensor
        results = function.call(*given)
        return results[0] if way.mode is Mode.HESSIAN else tuple(results[n] for n in rows)

    inputs = tuple(function.inputs[n] for n in full)
    what = f"the {way.mode.value} of {function.name}"
    compute = _same_draws_in_all_columns if way.forward and function.draws else _matrix
    found = attempt(what, lambda: compute(call, inputs, way)) if full and rows else ()
    by_place = {
        (row, column): found[i][j] for i, row in enumerate(rows) for j, column in enumerate(full)
    }
    return [
        by_place[i, j] if (i, j) in by_place else y.new_zeros((*y.shape, *x.shape))
        for i, y in enumerate(sides[0])
        for j, x in enumerate(sides[1])
    ]


def _matrix(call: Callable[..., Any], inputs: Tensors, way: Way) -> Any:
    strategy = "forward-mode" if way.forward else "reverse-mode"
    vectorize = way.vectorize or way.forward  # torch has forward mode vectorised only
    if way.mode is Mode.HESSIAN:
        return torchs.hessian(call, inputs, vectorize=vectorize, outer_jacobian_strategy=strategy)
    return torchs.jacobian(call, inputs, vectorize=vectorize, strategy=strategy)


def _same_draws_in_all_columns(call: Callable[..., Any], inputs: Tensors, way: Way) -> Any:
    """Compute in forward mode where random numbers are drawn, which only `torch.func` allows."""
    every = tuple(range(len(inputs)))
    gradient = torch.func.jacrev(lambda *xs: call(*xs).squeeze(), argnums=every)
    inner = gradient if way.mode is Mode.HESSIAN else call
    return torch.func.jacfwd(inner, argnums=every, randomness="same")(*inputs)


def _product(function: Function, way: Way) -> Tensors:
    vector = vector_for(function, way)
    what = f"the {way.mode.value} of {function.name}"
    if way.forward:
        if way.mode is Mode.JVP:
            moved = attempt(what, lambda: torch.func.jvp(function.call, function.inputs, vector))
            return tuple(moved[1])
        return attempt(what, lambda: multiply_hessian(function, vector))
    compute = getattr(torchs, way.mode.value)
    call = function.scalar if way.mode.is_second else function.call
    _, product = attempt(what, lambda: compute(call, function.inputs, vector))
    return tuple(product)


def vector_for(function: Function, way: Way) -> Tensors:
    """Give the vector, made up where there is but one; raises UsageError where it does not fit."""
    names, tensors, side = (
        (function.output_names, function.outputs, "gives")
        if way.mode is Mode.VJP
        else (function.input_names, function.inputs, "takes")
    )
    if way.vector is None:
        if len(tensors) == 1 and tensors[0].numel() == 1:
            return (torch.ones_like(tensors[0]),)
        wanted = ", ".join(str(list(t.shape)) for t in tensors)
        raise UsageError(
            f"{way.mode.value} needs --v: {function.name} {side} {wanted}",
            hint=f"--v 'torch.ones({', '.join(map(str, tensors[0].shape))})'"
            if len(tensors) == 1
            else "--v '(v1, v2, ...)', one for each",
        )
    if len(way.vector) != len(tensors):
        raise UsageError(
            f"--v: {len(way.vector)} given, and {function.name} {side} {len(tensors)}: "
            f"{', '.join(names)}"
        )
    for name, given, like in zip(names, way.vector, tensors, strict=True):
        if given.shape != like.shape or given.dtype != like.dtype:
            raise UsageError(
                f"--v is {_spec(given)}, and {name} is {_spec(like)}", hint="they are to be alike"
            )
    return way.vector


def _spec(tensor: torch.Tensor) -> str:
    return f"{dtype_of(tensor)} {list(tensor.shape)}"


def _check(function: Function, way: Way) -> None:
    name, mode = function.name, way.mode
    if mode.is_second and (len(function.outputs) != 1 or function.outputs[0].numel() != 1):
        shapes = ", ".join(str(list(y.shape)) for y in function.outputs)
        raise UsageError(
            f"{mode.value} needs a scalar, and {name} gives {shapes}",
            hint=f"sum it, or choose an element: -e 'lambda *xs: {name}(*xs).sum()'",
        )
    if way.forward and mode in {Mode.VJP, Mode.VHP}:
        other = "jvp" if mode is Mode.VJP else "hvp"
        raise UsageError(
            f"{mode.value} is reverse mode by its nature", hint=f"{other} has both strategies"
        )
    if way.vectorize and not mode.is_matrix:
        raise UsageError(f"--vectorize: {mode.value} has nothing to vectorise")
    if mode is Mode.JACOBIAN:
        _check_complex(function, way)
    elif mode.is_second and function.is_complex:
        raise UsageError(f"{mode.value} of {name}: torch has none of complex numbers")


def _check_complex(function: Function, way: Way) -> None:
    """Refuse what torch can compute row by row only of real numbers."""
    if way.vectorize or way.forward or not any(y.is_complex() for y in function.outputs):
        return
    raise UsageError(
        f"jacobian of {function.name}: torch has none of a complex result, row by row",
        hint="--vectorize gives one by torch's convention; torch.view_as_real makes it real",
    )


def _check_memory(function: Function, way: Way) -> None:
    """Refuse what does not fit, rather than let the machine run out of memory."""
    across = sum(x.numel() for x in function.inputs)
    down = across if way.mode is Mode.HESSIAN else sum(y.numel() for y in function.outputs)
    size = down * across * max(y.element_size() for y in function.outputs)
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # not known here
        return
    if size > there // 2:
        product = "hvp" if way.mode is Mode.HESSIAN else "vjp and jvp"
        raise UsageError(
            f"the {way.mode.value} of {function.name} is {down:,} x {across:,}: "
            f"{size / 2**30:,.1f} GiB",
            hint=f"{product} multiply it by a vector without making it; --wrt takes fewer inputs",
        )


def count(tensors: Sequence[torch.Tensor]) -> int:
    """Count the elements of some tensors."""
    return sum(math.prod(tensor.shape) for tensor in tensors)
