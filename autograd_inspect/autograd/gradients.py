"""The figures of a gradient, in double precision and without a copy.

norm is the 2-norm; std the unbiased sample deviation, sqrt(sum |g - mean|^2 / (n - 1)).
Half-precision gradients are summed in double precision: 65504 is the largest float16, and a norm
over a few thousand elements exceeds it easily.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from autograd_inspect.autograd.details import Interned, dtype_name, spec_of
from autograd_inspect.model.gradients import (
    HISTOGRAM_DECADES,
    Gradients,
    GradientTable,
    Holding,
    Reason,
)
from autograd_inspect.model.probes import Passed
from autograd_inspect.model.tables import Spec

#: A histogram of more elements than this is taken from an evenly spaced sample of about as many.
HISTOGRAM_SAMPLE = 2**16

#: Norms whose squares, and those of the parts that count, single precision has room for.
_SAFE = (1e-12, 1e12)

#: Elements that are widened to double precision at a time, so that no second copy is needed.
_PART = 2**22
_BINS = len(HISTOGRAM_DECADES) - 1

#: Share of a difference in what it is taken from, below which rounding has eaten too much of it.
_ROUNDING = 1e-3

Counts = np.ndarray[Any, np.dtype[np.int64]]
Sample = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to say of one gradient; field names as in `GradientTable`."""

    norm: float = math.nan
    mean: float = math.nan
    mean_imag: float = 0.0
    std: float = math.nan
    min: float = math.nan
    max: float = math.nan
    zeros: int = 0
    nan: int = 0
    inf: int = 0
    count: int = 0
    histogram: tuple[int, ...] = (0,) * _BINS


@dataclass(frozen=True, slots=True)
class Sighting:
    """One row to be: a tensor, the gradient found for it, and why it is or is not there."""

    name: str
    node: int
    tensor: torch.Tensor
    gradient: torch.Tensor | None
    reason: Reason
    before: bool = False
    holding: Holding = Holding.UNKNOWN


@dataclass(frozen=True, slots=True)
class Stored:
    """The elements of a gradient that are stored, flat, and how many elements it has in all."""

    values: torch.Tensor
    count: int

    @property
    def sizes(self) -> torch.Tensor:
        """The values themselves, or the absolute values of complex ones: what can be ordered."""
        return self.values.abs() if self.values.is_complex() else self.values


def measure(gradient: torch.Tensor) -> Figures:
    """Measure a gradient of any dtype and layout; the tensor is only read."""
    with torch.no_grad():
        stored = _stored(gradient.detach())
        histograms = _Histograms()
        histograms.add(_sample(stored.sizes))
        return replace(_figures(stored), histogram=tuple(histograms.rows()[0].tolist()))


def size_up(gradient: torch.Tensor, *, only_norm: bool = False) -> Passed:
    """Measure a gradient on its way, which happens once for every edge: few passes, no copy.

    The norm alone is that of `gradient.norm()`, in its own precision, which takes a third of the
    time. Raises RuntimeError, TypeError or NotImplementedError for a tensor that has no figures.
    """
    values, count = gradient, gradient.numel()
    if not _is_plain(gradient):
        stored = _stored(gradient)
        values, count = stored.values, stored.count
    if not values.numel():
        return Passed(norm=0.0, max=0.0, zeros=count, nan=0, inf=0, count=count)
    norm = _own_norm(values) if only_norm else math.nan
    if math.isnan(norm):
        wide = torch.complex128 if values.is_complex() else torch.float64
        norm = float(torch.linalg.vector_norm(values, dtype=wide))
    nan, inf = _nonfinite(values, norm)
    if only_norm:
        return Passed(norm=norm, max=math.nan, zeros=-1, nan=nan, inf=inf, count=count)
    low, high = torch.aminmax(values.abs() if values.is_complex() else values)
    return Passed(
        norm=norm,
        max=max(abs(float(low)), abs(float(high))),
        zeros=count - int(torch.count_nonzero(values)),
        nan=nan,
        inf=inf,
        count=count,
    )


def _own_norm(values: torch.Tensor) -> float:
    """Give the norm in the values' own precision; NaN where that may be too narrow for squares."""
    if values.dtype not in {torch.float32, torch.float64}:
        return math.nan
    norm = float(torch.linalg.vector_norm(values))
    return norm if _SAFE[0] < norm < _SAFE[1] else math.nan


def _is_plain(gradient: torch.Tensor) -> bool:
    """Tell whether a tensor can be measured where it lies, whatever its strides."""
    return (
        type(gradient) is torch.Tensor
        and gradient.layout is torch.strided
        and gradient.dtype.itemsize > 1
        and gradient.device.type != "mps"
        and not gradient.is_quantized
    )


def _figures(stored: Stored) -> Figures:
    """Measure all but the histogram; elements that are not stored are zeros."""
    values, count = stored.values, stored.count
    if not values.numel():
        return Figures(norm=0.0, zeros=count, count=count)
    wide = torch.complex128 if values.is_complex() else torch.float64
    norm = float(torch.linalg.vector_norm(values, dtype=wide))
    mean = complex((values.sum(dtype=wide) / count).item())
    low, high = (float(bound) for bound in torch.aminmax(stored.sizes))
    if count > values.numel():
        low, high = min(low, 0.0), max(high, 0.0)
    nan, inf = _nonfinite(values, norm)
    return Figures(
        norm=norm,
        mean=mean.real,
        mean_imag=mean.imag,
        std=_deviation(stored, norm, mean),
        min=low,
        max=high,
        zeros=count - int(torch.count_nonzero(values)),
        nan=nan,
        inf=inf,
        count=count,
    )


def _stored(gradient: torch.Tensor) -> Stored:
    if hasattr(gradient, "to_local"):  # a DTensor holds this process's part
        gradient = gradient.to_local()
    if gradient.device.type == "mps":  # which has no double precision
        gradient = gradient.cpu()
    if gradient.layout is torch.sparse_coo:
        # Not coalesced, one element may be stored in several parts: only their sum counts.
        return Stored(gradient.coalesce().values().flatten(), gradient.numel())
    if gradient.layout is not torch.strided:
        return Stored(gradient.values().flatten(), gradient.numel())
    if gradient.is_quantized:
        gradient = gradient.dequantize()
    if gradient.dtype.itemsize == 1:  # the float8 types know hardly any arithmetic
        gradient = gradient.float()
    return Stored(gradient.flatten(), gradient.numel())


def _deviation(stored: Stored, norm: float, mean: complex) -> float:
    """Give the sample deviation, from norm and mean unless their difference would be all rounding.

    sum |g - mean|^2 = norm^2 - n |mean|^2, and both are exact to about 1e-15.
    """
    values, count = stored.values, stored.count
    if count < 2:
        return math.nan
    squares = norm**2 - count * abs(mean) ** 2
    if squares < norm**2 * _ROUNDING:
        wide = torch.complex128 if values.is_complex() else torch.float64
        shift = mean if values.is_complex() else mean.real
        squares = (count - values.numel()) * abs(mean) ** 2
        for part in torch.split(values, _PART):
            squares += float(torch.linalg.vector_norm(part.to(wide) - shift) ** 2)
    return math.sqrt(squares / (count - 1)) if math.isfinite(squares) else math.nan


def _nonfinite(values: torch.Tensor, norm: float) -> tuple[int, int]:
    """Count NaN and infinite elements; a finite norm says at no cost that there are none."""
    if math.isfinite(norm):
        return 0, 0
    return int(torch.isnan(values).sum()), int(torch.isinf(values).sum())


class _Histograms:
    """Counts by decade, a row per gradient; many at once, because most gradients are small."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._waiting = 0
        self._counted: list[Counts] = []

    def add(self, sample: Sample) -> None:
        """Add a row that counts these elements."""
        self._samples.append(sample)
        self._waiting += len(sample)
        if self._waiting > _PART:
            self._count()

    def rows(self) -> Counts:
        """Give all rows added."""
        self._count()
        return np.concatenate(self._counted)

    def _count(self) -> None:
        row = np.repeat(np.arange(len(self._samples)), list(map(len, self._samples)))
        size = np.concatenate([*self._samples, np.zeros(0)])
        counted = np.isfinite(size) & (size > 0)
        decade = np.floor(np.log10(size[counted])).astype(np.int64) - HISTOGRAM_DECADES[0]
        cell = row[counted] * _BINS + decade.clip(0, _BINS - 1)
        counts = np.bincount(cell, minlength=len(self._samples) * _BINS)
        self._counted.append(counts.reshape(len(self._samples), _BINS))
        self._samples, self._waiting = [], 0


def _sample(sizes: torch.Tensor) -> Sample:
    step = -(-sizes.numel() // HISTOGRAM_SAMPLE) or 1
    sample: Sample = sizes[::step].to("cpu", torch.float64).abs().numpy()
    return sample


def gradients_of(sightings: Iterable[Sighting]) -> tuple[Gradients, list[str]]:
    """Measure every gradient and put the figures into columns; say which could not be measured."""
    rows = list(sightings)
    unmeasured: list[str] = []
    names: Interned[str] = Interned()
    specs: Interned[Spec] = Interned()
    dtypes: Interned[str] = Interned()
    measured, histograms = _measure_all(rows, unmeasured)
    facts: dict[str, Sequence[float | int | bool]] = {
        "name": [names[row.name] for row in rows],
        "node": [row.node for row in rows],
        "spec": [specs[spec_of(row.tensor)] for row in rows],
        "dtype": [-1 if r.gradient is None else dtypes[dtype_name(r.gradient.dtype)] for r in rows],
        "reason": [row.reason for row in rows],
        "before": [row.before for row in rows],
        "holding": [row.holding for row in rows],
    }
    for field in fields(Figures):
        facts[field.name] = [getattr(one, field.name) for one in measured]
    columns: dict[str, Any] = {
        name: np.array(values, _DTYPES[name]) for name, values in facts.items()
    }
    columns["histogram"] = histograms
    table = GradientTable(**columns)
    found = Gradients(table, tuple(names), tuple(specs), tuple(dtypes))
    return found, unmeasured


def _measure_all(rows: Sequence[Sighting], unmeasured: list[str]) -> tuple[list[Figures], Counts]:
    """Measure gradients; one of a kind that has no such figures does not spoil the others."""
    measured: list[Figures] = []
    histograms = _Histograms()
    for row in rows:
        figures, sample = Figures(), np.zeros(0)
        if row.gradient is not None:
            try:
                with torch.no_grad():
                    found = _stored(row.gradient.detach())
                    figures, sample = _figures(found), _sample(found.sizes)
            except (NotImplementedError, RuntimeError, TypeError) as error:
                why = f"figures of the gradient of {row.name}: {error}"
                unmeasured.append(why.partition("\n")[0])
                figures = Figures(count=row.gradient.numel())
        measured.append(figures)
        histograms.add(sample)
    return measured, histograms.rows()


_DTYPES: dict[str, type] = (
    dict.fromkeys(["name", "node", "spec", "dtype"], np.int32)
    | dict.fromkeys(["norm", "mean", "mean_imag", "std", "min", "max"], np.float64)
    | dict.fromkeys(["zeros", "nan", "inf", "count", "histogram"], np.int64)
    | {"reason": np.uint8, "before": np.bool_, "holding": np.uint8}
)
