"""The 2-norms of many tensors of any kind at once, and how far parameters move between two looks.

All of it is computed outside of autograd and read back at once, so that on an accelerator a step
waits for its device three times and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

import torch

#: Elements of an optimizer's weights that are copied to be compared after the step; beyond, an
#: evenly spaced sample is.
COPIED = 2**26

_PLAIN = {torch.Tensor, torch.nn.Parameter}
_HALF = {torch.float16, torch.bfloat16}
_KIND = attrgetter("layout", "dtype", "device")
_KNOWN = _HALF | {torch.float32, torch.float64, torch.complex64, torch.complex128}


Norms = list[float | None]


def norms(tensors: Sequence[torch.Tensor | None]) -> Norms:
    """Give the 2-norm of each tensor, None for None and for what has no such norm."""
    found: Norms = [None] * len(tensors)
    alike: dict[Any, list[int]] = {}
    plain = plain_parts(tensors)
    for place, tensor in enumerate(plain):
        if tensor is not None:
            alike.setdefault((tensor.dtype, tensor.device), []).append(place)
    for (dtype, _), places in alike.items():
        group = [tensor for place in places if (tensor := plain[place]) is not None]
        wide = torch.float32 if dtype in _HALF else None
        sizes = torch.stack(torch._foreach_norm(group, 2, wide)).tolist()
        for place, size in zip(places, sizes, strict=True):
            found[place] = size if math.isfinite(size) else _wide_norm(plain[place])
    return found


def _wide_norm(tensor: torch.Tensor | None) -> float:
    """Measure again what may only have overflown."""
    assert tensor is not None
    wide = torch.complex128 if tensor.is_complex() else torch.float64
    if tensor.device.type == "mps":  # which has no double precision
        return math.inf
    return float(torch.linalg.vector_norm(tensor, dtype=wide))


def plain_parts(tensors: Sequence[torch.Tensor | None]) -> Sequence[torch.Tensor | None]:
    """Give for each tensor the elements that are stored here, strided; None where there are none.

    Nearly all are plain, and then are given as they are.
    """
    there = [tensor for tensor in tensors if tensor is not None]
    kinds = set(map(_KIND, there))
    if set(map(type, there)) <= _PLAIN and all(_is_plain(*kind) for kind in kinds):
        return tensors
    return [None if tensor is None else plain_part(tensor) for tensor in tensors]


def _is_plain(layout: torch.layout, dtype: torch.dtype, device: torch.device) -> bool:
    return layout is torch.strided and dtype in _KNOWN and device.type != "meta"


def plain_part(tensor: torch.Tensor) -> torch.Tensor | None:
    """Give the elements of a tensor that are stored here, strided; None where there are none."""
    if type(tensor) not in _PLAIN or tensor.layout is not torch.strided:
        try:
            return plain_part(_within(tensor))
        except (NotImplementedError, RuntimeError, TypeError):
            return None
    if tensor.device.type == "meta" or not (tensor.is_floating_point() or tensor.is_complex()):
        return None
    # The float8 types know hardly any arithmetic.
    return tensor.detach() if tensor.dtype in _KNOWN else tensor.detach().float()


def _within(tensor: torch.Tensor) -> torch.Tensor:
    """Give what a tensor of an odd kind keeps its elements in."""
    if hasattr(tensor, "to_local"):  # a DTensor holds this process's part
        local: torch.Tensor = tensor.to_local()
        return local
    plain = tensor.detach()
    if type(plain) is not torch.Tensor:
        plain = plain.as_subclass(torch.Tensor)
    if tensor.layout is torch.sparse_coo:
        # Not coalesced, one element may be stored in several parts: only their sum counts.
        return plain.coalesce().values()
    return plain if tensor.layout is torch.strided else plain.values()


class Weights:
    """Copies of an optimizer's parameters as they were before its step.

    The copies are made once and written over at each step, so that memory stays flat. `stride` is
    one of how many elements is compared.
    """

    def __init__(self, parameters: Sequence[torch.Tensor]) -> None:
        self._parameters = parameters
        elements = sum(parameter.numel() for parameter in parameters)
        self.stride = -(-elements // COPIED) or 1
        self._kept: list[torch.Tensor] = []
        self._there: list[bool] = []

    def keep(self) -> None:
        """Copy the weights as they are now."""
        looks = self._looks()
        there = [look is not None for look in looks]
        present = [look for look in looks if look is not None]
        if there != self._there or not _fit(self._kept, present):
            self._there = there
            self._kept = [torch.empty_like(look) for look in present]
        for kept, look in _by_kind(self._kept, present):
            torch._foreach_copy_(kept, look)

    def compare(self) -> tuple[Norms, Norms]:
        """Give the norms of the weights that were kept, and of their change since; uses them up."""
        weights = norms(self._kept)
        looks = [look for look in compress(self._looks(), self._there) if look is not None]
        if not _fit(self._kept, looks):  # the step has put other tensors in the place of these
            return [None] * len(self._there), [None] * len(self._there)
        for kept, look in _by_kind(self._kept, looks):
            torch._foreach_sub_(kept, look)
        return self._spread(weights), self._spread(norms(self._kept))

    def _looks(self) -> Sequence[torch.Tensor | None]:
        parts = plain_parts(self._parameters)
        if self.stride == 1:
            return parts
        return [None if part is None else part.reshape(-1)[:: self.stride] for part in parts]

    def _spread(self, figures: Norms) -> Norms:
        scale = math.sqrt(self.stride)
        following = iter([None if figure is None else figure * scale for figure in figures])
        return [next(following) if there else None for there in self._there]


def _fit(kept: Sequence[torch.Tensor], looks: Sequence[torch.Tensor]) -> bool:
    return len(kept) == len(looks) and all(
        one.shape == other.shape and one.dtype is other.dtype and one.device == other.device
        for one, other in zip(kept, looks, strict=True)
    )


def _by_kind(
    kept: Sequence[torch.Tensor], looks: Sequence[torch.Tensor]
) -> Iterable[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Pair off tensors of one dtype and device, which torch has fast ways for."""
    alike: dict[Any, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
    for one, other in zip(kept, looks, strict=True):
        mine, theirs = alike.setdefault((one.dtype, one.device), ([], []))
        mine.append(one)
        theirs.append(other)
    return alike.values()
