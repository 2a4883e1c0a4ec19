"""Operations that stand out by what they are given: lost constants, columns against rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType
from typing import Any

import torch

from autograd_inspect.autograd.details import dtype_name
from autograd_inspect.recording.operations import name_of
from autograd_inspect.recording.sites import Spot, spot_of

#: Operations that take an epsilon or a bound.
_WITH_CONSTANTS = frozenset(
    [
        *("add", "add_", "__add__", "__radd__", "__iadd__", "sub", "sub_", "__sub__", "rsub"),
        *("__rsub__", "clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_"),
        *("clip", "clip_", "normalize", "cosine_similarity", "where", "masked_fill"),
        *("mul", "mul_", "__mul__", "__rmul__", "__imul__", "logit", "special_logit"),
    ]
)
#: The eps of those that are given none.
_DEFAULTS = {"normalize": 1e-12, "cosine_similarity": 1e-8}
_LOSSES = frozenset(
    [
        *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"),
        *("gaussian_nll_loss", "poisson_nll_loss"),
    ]
)
_PAIRING = frozenset(
    [
        *("sub", "__sub__", "rsub", "__rsub__", "sub_", "__isub__", "subtract"),
        *("mul", "__mul__", "__rmul__", "multiply"),
    ]
)
#: Places remembered of each kind.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Lost:
    """A constant that a dtype cannot represent."""

    op: str
    number: float
    rounded: float
    dtype: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Squared:
    """A column and a row that were expanded into a square."""

    op: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    spot: Spot
    is_loss: bool
    is_wanted: bool


@dataclass(slots=True)
class Noticing:
    """Looks at each operation before it runs; keeps one of each place."""

    lost: dict[tuple[Spot, float], Lost] = field(default_factory=dict)
    squared: dict[Spot, Squared] = field(default_factory=dict)

    def look(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        options: dict[str, Any] | None,
        inputs: Sequence[torch.Tensor],
        frame: FrameType,
    ) -> None:
        """Notice what stands out in one operation."""
        name = getattr(func, "__name__", "")
        if name in _WITH_CONSTANTS:
            self._constants(func, args, options, inputs, frame)
        if name in _LOSSES or (name in _PAIRING and len(inputs) == 2):
            column, row = sorted(inputs[:2], key=torch.Tensor.dim, reverse=True)
            if _makes_square(column, row) and len(self.squared) < _MOST:
                self.squared[spot_of(frame)] = Squared(
                    name_of(func),
                    (tuple(inputs[0].shape), tuple(inputs[1].shape)),
                    spot_of(frame),
                    is_loss=name in _LOSSES,
                    is_wanted=_is_made_for_it(column, row),
                )

    def _constants(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        options: dict[str, Any] | None,
        inputs: Sequence[torch.Tensor],
        frame: FrameType,
    ) -> None:
        name = getattr(func, "__name__", "")
        numbers = [one for one in (*args, *(options or {}).values()) if type(one) is float]
        if name in _DEFAULTS and "eps" not in (options or {}):
            numbers.append(_DEFAULTS[name])
        for number in numbers:
            # A logit is bounded from above as well.
            asked = 1 - number if "logit" in name else number
            self.given(asked, inputs, name_of(func), spot_of(frame))

    def given(self, number: object, inputs: Sequence[torch.Tensor], op: str, spot: Spot) -> None:
        """Notice a number that tensors are combined with, where their dtype has nothing like it."""
        floating = [one.dtype for one in inputs if one.is_floating_point()]
        if type(number) is not float or not floating or len(self.lost) >= _MOST:
            return
        rounded = _rounded(number, floating[0])
        if rounded != number and rounded in {0.0, 1.0, -1.0}:
            self.lost[spot, number] = Lost(op, number, rounded, dtype_name(floating[0]), spot)


@lru_cache(maxsize=4096)
def _rounded(number: float, dtype: torch.dtype) -> float:
    return torch.tensor(number, dtype=torch.float64).to(dtype).item()


def _makes_square(column: torch.Tensor, row: torch.Tensor) -> bool:
    """Tell whether these are (N, 1) and (N,), with any shape in front in common."""
    return bool(
        column.dim() == row.dim() + 1
        and row.dim() == 1
        and column.shape[-1] == 1
        and column.shape[0] == row.shape[0] > 1
    )


def _is_made_for_it(column: torch.Tensor, row: torch.Tensor) -> bool:
    """Tell pairs on purpose: one tensor against itself, or both made of the same one."""
    if column.requires_grad and row.requires_grad:
        return True
    return bool(column.untyped_storage()._cdata == row.untyped_storage()._cdata)
