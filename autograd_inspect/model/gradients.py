"""What arrived at the leaves: one row of figures per tensor, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from autograd_inspect.model.tables import Bools, Bytes, Floats, Ints, Longs, Spec

#: Edges of the histogram of |gradient|: powers of ten. Values beyond the ends count in the outer
#: bins, zeros and non-finite values in none.
HISTOGRAM_DECADES = tuple(range(-12, 5))


class Reason(IntEnum):
    """Why a tensor has the gradient it has, or none."""

    ARRIVED = 0
    NOT_REACHED = 1
    REQUIRES_NO_GRAD = 2
    NOT_A_LEAF = 3
    BACKWARD_NOT_RUN = 4
    BACKWARD_FAILED = 5
    NOT_AMONG_INPUTS = 6
    NOTHING_FLOWED = 7
    LEFT_BY_EARLIER = 8

    @property
    def text(self) -> str:
        """The reason in words."""
        return _REASON_TEXTS[self]


_REASON_TEXTS = {
    Reason.ARRIVED: "",
    Reason.NOT_REACHED: "not reached from the root",
    Reason.REQUIRES_NO_GRAD: "requires_grad is False",
    Reason.NOT_A_LEAF: "not a leaf: only leaves keep .grad",
    Reason.BACKWARD_NOT_RUN: "backward was not run",
    Reason.BACKWARD_FAILED: "backward raised before it got here",
    Reason.NOT_AMONG_INPUTS: "not among the inputs asked for",
    Reason.NOTHING_FLOWED: "reached, but no gradient was sent",
    Reason.LEFT_BY_EARLIER: "left by an earlier backward",
}


class Holding(IntEnum):
    """Whether an optimizer of the program holds a tensor."""

    UNKNOWN = 0
    HELD = 1
    NOT_HELD = 2


_SINCE_1_4 = {"absent": Holding.UNKNOWN}


@dataclass(frozen=True, slots=True, eq=False)
class GradientTable:
    """One row per leaf of the graph, parameter of a live module, and tensor asked for.

    The figures are those of the gradient tensor; NaN where there is none.

    node       row in the graph, -1 where the tensor is not in it
    spec       row in `specs`: the tensor's own shape, dtype, device
    dtype      row in `dtypes`: the gradient's dtype, which may differ; -1 without a gradient
    reason     a `Reason`
    before     a gradient was there already when backward began, so this one adds to it
    norm       2-norm
    mean       mean; `mean_imag` is its imaginary part, 0 for real gradients
    std        standard deviation, unbiased; NaN for a single element
    min, max   smallest and largest value; of the absolute value for complex gradients
    zeros      number of elements that are exactly zero, those a sparse gradient leaves out included
    nan, inf   number of elements that are NaN, or plus or minus infinity
    count      number of elements
    histogram  one row of counts per decade of the absolute value, see `HISTOGRAM_DECADES`
    holding    a `Holding`; unknown where the program has no optimizer
    """

    name: Ints
    node: Ints
    spec: Ints
    dtype: Ints
    reason: Bytes
    before: Bools
    norm: Floats
    mean: Floats
    mean_imag: Floats
    std: Floats
    min: Floats
    max: Floats
    zeros: Longs
    nan: Longs
    inf: Longs
    count: Longs
    histogram: Longs
    holding: Bytes = field(metadata=_SINCE_1_4)


@dataclass(frozen=True, slots=True)
class Gradient:
    """One row of the gradient table, for reading."""

    name: str
    node: int
    spec: Spec | None
    dtype: str
    reason: Reason
    before: bool
    norm: float
    mean: complex
    std: float
    min: float
    max: float
    zeros: int
    nan: int
    inf: int
    count: int
    histogram: tuple[int, ...]
    holding: Holding

    @property
    def present(self) -> bool:
        """Whether there is a gradient at all."""
        return bool(self.dtype)

    @property
    def zero_share(self) -> float:
        """The share of elements that are exactly zero; NaN without a gradient."""
        return self.zeros / self.count if self.present and self.count else float("nan")


@dataclass(frozen=True, eq=False)
class Gradients:
    """The gradient table with the names, specs and dtypes that its columns point into."""

    table: GradientTable
    names: tuple[str, ...] = ()
    specs: tuple[Spec, ...] = ()
    dtypes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.table.name)

    def __iter__(self) -> Iterator[Gradient]:
        """Read row by row."""
        return map(self.row, range(len(self)))

    def row(self, index: int) -> Gradient:
        """One row by its number."""
        table = self.table
        spec, dtype = int(table.spec[index]), int(table.dtype[index])
        return Gradient(
            name=self.names[int(table.name[index])],
            node=int(table.node[index]),
            spec=self.specs[spec] if spec >= 0 else None,
            dtype=self.dtypes[dtype] if dtype >= 0 else "",
            reason=Reason(table.reason[index]),
            before=bool(table.before[index]),
            norm=float(table.norm[index]),
            mean=complex(table.mean[index], table.mean_imag[index]),
            std=float(table.std[index]),
            min=float(table.min[index]),
            max=float(table.max[index]),
            zeros=int(table.zeros[index]),
            nan=int(table.nan[index]),
            inf=int(table.inf[index]),
            count=int(table.count[index]),
            histogram=tuple(map(int, table.histogram[index])),
            holding=Holding(table.holding[index]),
        )
