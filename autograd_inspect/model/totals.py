"""What many gradients come to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the rows of a gradient table.

    tensors   rows
    present   those that have a gradient
    earlier   of these, the ones that the captured backward did not send
    added     of these, the ones whose gradient was added to one that was there before
    nan, inf  of these, the ones with a NaN or an infinite value in it
    zero      of these, the ones that are zero throughout
    norm      square root of the sum of squared norms, what `clip_grad_norm_` returns
    """

    tensors: int
    present: int
    earlier: int
    added: int
    nan: int
    inf: int
    zero: int
    norm: float

    @property
    def absent(self) -> int:
        """Tensors without a gradient."""
        return self.tensors - self.present
