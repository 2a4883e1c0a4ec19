"""How large the gradients are from the first layer to the loss: what a plot of them shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from autograd_inspect.model.tables import Floats

Shares = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class Mark(str, Enum):
    """What a size on a logarithmic scale cannot show."""

    NAN = "NaN"
    INF = "Inf"
    ZERO = "all zero"
    NONE = "no gradient"


@dataclass(frozen=True, slots=True, eq=False)
class GradientFlow:
    """The gradients in forward order, a row for each.

    names      of the tensors
    rms        root mean square of the elements: 2-norm / sqrt(count); NaN where it is no size
    largest    largest absolute value, likewise
    marks      the rows that something else is to be said of
    shares     of each gradient's elements, by column: exactly zero, one column per decade of the
               absolute value (`HISTOGRAM_DECADES`), NaN or infinite; they add up to 1
    unreached  the last so many rows, which the root does not lead to
    left_out   tensors that were not meant to have a gradient, which have no row
    """

    names: tuple[str, ...]
    rms: Floats
    largest: Floats
    marks: Mapping[Mark, np.ndarray[Any, np.dtype[np.int64]]]
    shares: Shares
    unreached: int = 0
    left_out: int = 0

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.names)
