"""What was measured of a backward on its way from the roots to the leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_inspect.model.tables import Floats, Longs


@dataclass(frozen=True, slots=True, eq=False)
class PassedTable:
    """One row per gradient that was measured on its way.

    `EdgeTable.passed` and `OutputTable.arrived` point here. Complex gradients count by their
    absolute values.

    norm   2-norm
    max    largest absolute value; NaN where only the norm was asked for
    zeros  number of elements that are exactly zero; -1 where only the norm was asked for
    nan    number of NaN elements
    inf    number of infinite elements
    count  number of elements
    """

    norm: Floats
    max: Floats
    zeros: Longs
    nan: Longs
    inf: Longs
    count: Longs


@dataclass(frozen=True, slots=True)
class Passed:
    """A gradient that was measured on its way; field names as in `PassedTable`."""

    norm: float
    max: float
    zeros: int
    nan: int
    inf: int
    count: int

    @property
    def is_finite(self) -> bool:
        """Whether no element is NaN or infinite."""
        return not self.nan and not self.inf

    @property
    def zero_share(self) -> float:
        """The share of elements that are exactly zero; NaN where they were not counted."""
        return self.zeros / self.count if self.zeros >= 0 and self.count else float("nan")


def combined(parts: Sequence[Passed]) -> Passed:
    """Give the figures of several gradients taken together, of which there is at least one."""
    if len(parts) == 1:
        return parts[0]
    counted = all(one.zeros >= 0 for one in parts)
    return Passed(
        norm=math.hypot(*(one.norm for one in parts)),
        max=max(one.max for one in parts),
        zeros=sum(one.zeros for one in parts) if counted else -1,
        nan=sum(one.nan for one in parts),
        inf=sum(one.inf for one in parts),
        count=sum(one.count for one in parts),
    )


@dataclass(frozen=True, slots=True)
class Operand:
    """A saved tensor at the place where a gradient became NaN or infinite.

    name    autograd's name for it: `self`, `other`, `result`
    index   the element that belongs to the offending one; None where none does
    value   that element, as text: `0`, `inf`, `nan`
    remark  what stands out in the whole tensor: `3 of 20 elements are zero`
    """

    name: str
    index: tuple[int, ...] | None = None
    value: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Birth:
    """A node at which finite gradients arrived, and that sent one on which is not finite.

    node      the node
    slot      its outgoing edge, by input of the forward operation
    index     the first offending element of what it sent
    value     that element, as text: `nan`, `inf`, `-inf`
    arrived   what arrived at the same element, as text; empty where none belongs to it
    operands  the saved tensors that go into it
    source    where a saved tensor was not finite already: the node whose forward made it so, -1
              where none is known
    made      row in `Graph.stacks`: the line at which such a value first came up in the whole
              forward, in the graph or outside of it; -1 where not recorded
    maker     what was called there: `torch.atanh`
    """

    node: int
    slot: int
    index: tuple[int, ...]
    value: str
    arrived: str = ""
    operands: tuple[Operand, ...] = ()
    source: int = -1
    made: int = -1
    maker: str = ""
