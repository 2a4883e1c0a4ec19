"""The figures of a gradient, in double precision and without a copy.

norm is the 2-norm; std the unbiased sample deviation, sqrt(sum |g - mean|^2 / (n - 1)).
Half-precision gradients are summed in double precision: 65504 is the largest float16, and a norm
over a few thousand elements exceeds it easily.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from autograd_inspect.autograd.details import Interned, dtype_name, spec_of
from autograd_inspect.model.gradients import (
    HISTOGRAM_DECADES,
    Gradients,
    GradientTable,
    Reason,
)
from autograd_inspect.model.tables import Spec

#: A histogram of more elements than this is taken from an evenly spaced sample of about as many.
HISTOGRAM_SAMPLE = 2**16

#: Elements that are widened to double precision at a time, so that no second copy is needed.
_PART = 2**22
_BINS = len(HISTOGRAM_DECADES) - 1


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


def measure(gradient: torch.Tensor) -> Figures:
    """Measure a gradient of any dtype and layout; the tensor is only read."""
    with torch.no_grad():
        values, count = _stored_values(gradient.detach())
        if not values.numel():
            return Figures(norm=0.0, zeros=count, count=count)
        return _measure_dense(values, count)


def _measure_dense(values: torch.Tensor, count: int) -> Figures:
    """Measure `values`; the `count - values.numel()` elements not stored are zeros."""
    wide = torch.complex128 if values.is_complex() else torch.float64
    sizes = values.abs() if values.is_complex() else values
    unstored = count - values.numel()
    norm = float(torch.linalg.vector_norm(values, dtype=wide))
    mean = complex((values.sum(dtype=wide) / count).item())
    low, high = (float(bound) for bound in torch.aminmax(sizes))
    if unstored:
        low, high = min(low, 0.0), max(high, 0.0)
    nan, inf = _nonfinite(values, norm)
    return Figures(
        norm=norm,
        mean=mean.real,
        mean_imag=mean.imag,
        std=_deviation(values, mean, count),
        min=low,
        max=high,
        zeros=count - int(torch.count_nonzero(values)),
        nan=nan,
        inf=inf,
        count=count,
        histogram=_histogram(sizes),
    )


def _stored_values(gradient: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Give the elements that are stored, flat, and how many elements there are in all."""
    if hasattr(gradient, "to_local"):  # a DTensor holds this process's part
        gradient = gradient.to_local()
    if gradient.device.type == "mps":  # which has no double precision
        gradient = gradient.cpu()
    if gradient.layout is torch.sparse_coo:
        # Not coalesced, one element may be stored in several parts: only their sum counts.
        return gradient.coalesce().values().flatten(), gradient.numel()
    if gradient.layout is not torch.strided:
        return gradient.values().flatten(), gradient.numel()
    if gradient.is_quantized:
        gradient = gradient.dequantize()
    if gradient.dtype.itemsize == 1:  # the float8 types know hardly any arithmetic
        gradient = gradient.float()
    return gradient.flatten(), gradient.numel()


def _deviation(values: torch.Tensor, mean: complex, count: int) -> float:
    if count < 2:
        return math.nan
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


def _histogram(sizes: torch.Tensor) -> tuple[int, ...]:
    step = -(-sizes.numel() // HISTOGRAM_SAMPLE)
    sample = sizes[::step].to(torch.float64).abs()
    sample = sample[torch.isfinite(sample) & (sample > 0)]
    lowest = HISTOGRAM_DECADES[0]
    bins = (sample.log10().floor().to(torch.int64) - lowest).clamp_(0, _BINS - 1)
    return tuple(torch.bincount(bins, minlength=_BINS).tolist())


def gradients_of(sightings: Iterable[Sighting]) -> tuple[Gradients, list[str]]:
    """Measure every gradient and put the figures into columns; say which could not be measured."""
    rows = list(sightings)
    unmeasured: list[str] = []
    names: Interned[str] = Interned()
    specs: Interned[Spec] = Interned()
    dtypes: Interned[str] = Interned()
    measured = [_figures(row, unmeasured) for row in rows]
    facts: dict[str, Sequence[float | int | bool]] = {
        "name": [names[row.name] for row in rows],
        "node": [row.node for row in rows],
        "spec": [specs[spec_of(row.tensor)] for row in rows],
        "dtype": [-1 if r.gradient is None else dtypes[dtype_name(r.gradient.dtype)] for r in rows],
        "reason": [row.reason for row in rows],
        "before": [row.before for row in rows],
    }
    for field in fields(Figures):
        facts[field.name] = [getattr(one, field.name) for one in measured]
    columns: dict[str, Any] = {
        name: np.array(values, _DTYPES[name]) for name, values in facts.items()
    }
    columns["histogram"] = columns["histogram"].reshape(len(rows), _BINS)
    table = GradientTable(**columns)
    found = Gradients(table, tuple(names), tuple(specs), tuple(dtypes))
    return found, unmeasured


def _figures(row: Sighting, unmeasured: list[str]) -> Figures:
    """Measure one gradient; one of a kind that has no such figures does not spoil the others."""
    if row.gradient is None:
        return Figures()
    try:
        return measure(row.gradient)
    except (NotImplementedError, RuntimeError, TypeError) as error:
        unmeasured.append(f"figures of the gradient of {row.name}: {error}".partition("\n")[0])
        return Figures(count=row.gradient.numel())


_DTYPES: dict[str, type] = (
    dict.fromkeys(["name", "node", "spec", "dtype"], np.int32)
    | dict.fromkeys(["norm", "mean", "mean_imag", "std", "min", "max"], np.float64)
    | dict.fromkeys(["zeros", "nan", "inf", "count", "histogram"], np.int64)
    | {"reason": np.uint8, "before": np.bool_}
)
