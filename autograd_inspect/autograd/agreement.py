"""Derivatives computed another way: reverse mode against forward, vhp against hvp."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch

from autograd_inspect.autograd.functional import (
    Function,
    Tensors,
    Way,
    count,
    multiply_hessian,
    push_forward,
    torchs,
    vector_for,
)
from autograd_inspect.errors import FunctionError
from autograd_inspect.model.derivatives import Block, Check, Mode

#: Elements up to which every column or row is computed anew; beyond, one combination of them.
SMALL = 64

Compared = tuple[str, Sequence[torch.Tensor], Sequence[torch.Tensor]]
"""The other way in words, what was computed, and what it gives."""


def check(function: Function, way: Way, blocks: Sequence[Block], found: Tensors) -> Check:
    """Compute what is cheap to compute in another way, and compare."""
    if function.is_complex:
        return Check(skipped="complex numbers")
    if not all(tensor.numel() for tensor in (*function.inputs, *function.outputs)):
        return Check(skipped="nothing to compare")
    try:
        against, ours, theirs = _WAYS[way.mode](function, way, found)
    except Exception as error:  # noqa: BLE001 - the other way fails in ways of its own
        cause = error.__cause__ if isinstance(error, FunctionError) else error
        said = str(cause).strip().partition("\n")[0].partition(". ")[0]
        return Check(skipped=f"the other way failed: {said or type(cause).__name__}")
    whole = [tensor.shape for tensor in ours] == [tensor.shape for tensor in found]
    return _compare(against, ours, theirs, blocks if whole else ())


def _check_jacobian(function: Function, way: Way, found: Tensors) -> Compared:
    per_row = len(function.inputs)
    if way.forward:
        if count(function.outputs) <= SMALL:
            rows = torchs.jacobian(function.call, function.inputs)
            return "reverse mode", found, [block for row in rows for block in row]
        u = directions(function.outputs)
        _, theirs = torchs.vjp(function.call, function.inputs, u)
        return "reverse mode along one direction", _from_left(u, found, per_row), theirs
    if count(function.inputs) <= SMALL:
        columns = [push_forward(function, unit) for unit in units(function.inputs)]
        return "forward mode", found, _from_columns(columns, function)
    u = directions(function.inputs)
    ours = _from_right(found, u)
    return "forward mode along one direction", ours, push_forward(function, u)


def _check_hessian(function: Function, _: Way, found: Tensors) -> Compared:
    if count(function.inputs) <= SMALL:
        columns = [multiply_hessian(function, unit) for unit in units(function.inputs)]
        return "forward over reverse", found, _from_columns(columns, function)
    u = directions(function.inputs)
    _, theirs = torchs.hvp(function.scalar, function.inputs, u)
    return "hvp along one direction", _from_right(found, u), theirs


def _check_vjp(function: Function, way: Way, found: Tensors) -> Compared:
    v = vector_for(function, way)
    if count(function.inputs) > SMALL:
        u = directions(function.inputs)
        theirs = [_dot(v, push_forward(function, u))]
        return "forward mode along one direction", [_dot(found, u)], theirs
    each = torch.stack([_dot(v, push_forward(function, unit)) for unit in units(function.inputs)])
    return "forward mode", found, _split(each, function.inputs)


def _check_jvp(function: Function, way: Way, found: Tensors) -> Compared:
    v = vector_for(function, way)
    if way.forward:
        return "reverse mode", found, torchs.jvp(function.call, function.inputs, v)[1]
    return "forward mode", found, push_forward(function, v)


def _check_vhp(function: Function, way: Way, found: Tensors) -> Compared:
    v = vector_for(function, way)
    return "hvp", found, torchs.hvp(function.scalar, function.inputs, v)[1]


def _check_hvp(function: Function, way: Way, found: Tensors) -> Compared:
    v = vector_for(function, way)
    return "vhp", found, torchs.vhp(function.scalar, function.inputs, v)[1]


_WAYS: dict[Mode, Callable[[Function, Way, Tensors], Compared]] = {
    Mode.JACOBIAN: _check_jacobian,
    Mode.HESSIAN: _check_hessian,
    Mode.VJP: _check_vjp,
    Mode.JVP: _check_jvp,
    Mode.VHP: _check_vhp,
    Mode.HVP: _check_hvp,
}


def units(tensors: Tensors) -> Iterator[Tensors]:
    """Give the unit vectors of all elements, in order."""
    for place, tensor in enumerate(tensors):
        for element in range(tensor.numel()):
            unit = [torch.zeros_like(one) for one in tensors]
            unit[place].view(-1)[element] = 1
            yield tuple(unit)


def directions(tensors: Tensors) -> Tensors:
    """Give one vector with every element different, and no random number drawn for it."""
    given = []
    for tensor in tensors:
        steps = torch.arange(1, tensor.numel() + 1, dtype=torch.float64, device="cpu")
        given.append(steps.cos().to(tensor).reshape(tensor.shape))
    return tuple(given)


def _from_columns(columns: Sequence[Tensors], function: Function) -> list[torch.Tensor]:
    """Put blocks together from the products with all unit vectors."""
    blocks = []
    for row in range(len(columns[0])):
        start = 0
        for x in function.inputs:
            part = [column[row] for column in columns[start : start + x.numel()]]
            start += x.numel()
            blocks.append(torch.stack(part, -1).reshape((*part[0].shape, *x.shape)))
    return blocks


def _from_right(blocks: Tensors, vector: Tensors) -> list[torch.Tensor]:
    """Multiply rows of blocks by a vector from the right."""
    width = len(vector)
    return [
        sum(
            (
                torch.tensordot(block, v, dims=v.ndim)
                for block, v in zip(blocks[start : start + width], vector, strict=True)
            ),
            start=torch.zeros((), dtype=blocks[0].dtype),
        )
        for start in range(0, len(blocks), width)
    ]


def _from_left(vector: Tensors, blocks: Tensors, width: int) -> list[torch.Tensor]:
    """Multiply columns of blocks by a vector from the left."""
    return [
        sum(
            (
                torch.tensordot(v, block, dims=v.ndim)
                for v, block in zip(vector, blocks[column::width], strict=True)
            ),
            start=torch.zeros((), dtype=blocks[0].dtype),
        )
        for column in range(width)
    ]


def _dot(left: Tensors, right: Tensors) -> torch.Tensor:
    wide = ((a.double() * b.double()).sum() for a, b in zip(left, right, strict=True))
    return sum(wide, start=torch.zeros((), dtype=torch.float64)).to(left[0].dtype)


def _split(flat: torch.Tensor, like: Tensors) -> list[torch.Tensor]:
    parts = torch.split(flat, [one.numel() for one in like])
    return [part.reshape(one.shape) for part, one in zip(parts, like, strict=True)]


def _compare(
    against: str,
    ours: Sequence[torch.Tensor],
    theirs: Sequence[torch.Tensor],
    blocks: Sequence[Block],
) -> Check:
    """Compare; what rounding explains is half of the digits that the dtype has."""
    worst = Check(against)
    pairs = [(a.detach(), b.detach()) for a, b in zip(ours, theirs, strict=True)]
    overall = max((_largest(tensor) for pair in pairs for tensor in pair), default=0.0)
    for number, (mine, other) in enumerate(pairs):
        eps = max(torch.finfo(mine.dtype).eps, torch.finfo(other.dtype).eps)
        wide, beside = mine.double(), other.double()
        same = (wide == beside) | (wide.isnan() & beside.isnan())
        apart = torch.where(same, 0.0, (wide - beside).abs()).nan_to_num(math.inf, math.inf)
        place = int(apart.argmax()) if apart.numel() else 0
        largest = float(apart.reshape(-1)[place]) if apart.numel() else 0.0
        scale = max(_largest(mine), _largest(other))
        agrees = largest <= math.sqrt(eps) * scale + 10 * eps * overall
        difference = largest / scale if scale else largest
        if (agrees, -difference) < (worst.agrees, -worst.difference):
            at = _place(blocks[number], place, mine, other) if blocks else ""
            worst = Check(against, agrees, difference, at)
    return worst


def _largest(tensor: torch.Tensor) -> float:
    finite = tensor[tensor.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def _place(block: Block, place: int, mine: torch.Tensor, other: torch.Tensor) -> str:
    """Name a block and an element, with both values."""
    index = torch.unravel_index(torch.tensor(place), mine.shape)
    where = ", ".join(str(int(one)) for one in index)
    name = f"{block.row} by {block.column}" if block.column else block.row
    at = f"{name} at [{where}]" if where else name
    flat, beside = mine.reshape(-1), other.reshape(-1)
    return f"{at}: {flat[place].item()!r} here, {beside[place].item()!r} there"
