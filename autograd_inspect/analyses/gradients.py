"""Which gradients to show, in which order, and which of them should fail a build."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from autograd_inspect.analyses.words import check_words
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Gradient, Reason
from autograd_inspect.model.totals import Totals

_SORT_KEYS: dict[str, Callable[[Gradient], float | str]] = {
    "name": lambda gradient: gradient.name,
    "norm": lambda gradient: gradient.norm,
    "mean": lambda gradient: abs(gradient.mean) if gradient.mean.imag else gradient.mean.real,
    "std": lambda gradient: gradient.std,
    "min": lambda gradient: gradient.min,
    "max": lambda gradient: gradient.max,
    "zeros": lambda gradient: gradient.zero_share,
    "nan": lambda gradient: gradient.nan,
    "inf": lambda gradient: gradient.inf,
    "count": lambda gradient: gradient.count,
}

#: Reasons that are no fault: these tensors were not meant to get a gradient.
NOT_MEANT_TO = {Reason.REQUIRES_NO_GRAD, Reason.NOT_A_LEAF, Reason.NOT_AMONG_INPUTS}

_CONDITIONS: dict[str, Callable[[Gradient], bool]] = {
    "nan": lambda gradient: gradient.nan > 0,
    "inf": lambda gradient: gradient.inf > 0,
    "none": lambda gradient: not gradient.present and gradient.reason not in NOT_MEANT_TO,
    "zero": lambda gradient: gradient.present and 0 < gradient.count == gradient.zeros,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A gradient that a condition of `--fail-on` holds for."""

    condition: str
    gradient: Gradient

    def __str__(self) -> str:
        gradient = self.gradient
        name = gradient.name if gradient.name.isprintable() else repr(gradient.name)
        if self.condition == "none":
            return f"{name} has no gradient: {gradient.reason.text}"
        if self.condition == "zero":
            return f"the gradient of {name} is entirely zero"
        found = gradient.nan if self.condition == "nan" else gradient.inf
        word = "NaN" if self.condition == "nan" else "infinite"
        return f"the gradient of {name} has {found:,} of {gradient.count:,} values {word}"


def select(capture: Capture, *, sort: str | None = None, top: int | None = None) -> list[Gradient]:
    """Give the gradient rows in the order asked for, the first `top` of them.

    Numbers sort from the largest to the smallest, names from a to z. `+` before the key means
    rising, `-` falling. Figures that are NaN and rows without a gradient come first either way, in
    that order: they are what one looks for. Without a key the order is the capture's.
    """
    if top is not None and top < 0:
        raise UsageError(f"cannot show {top} rows", hint="give a number from 0 on")
    rows = list(capture.gradients)
    if sort is not None:
        rows = _sorted(rows, sort)
    return rows if top is None else rows[:top]


def failures(capture: Capture, conditions: Iterable[str]) -> list[Failure]:
    """Find the gradients that any of the conditions holds for, condition by condition."""
    wanted = list(dict.fromkeys(conditions))
    check_words(None, wanted)
    rows = list(capture.gradients)
    return [Failure(name, row) for name in wanted for row in rows if _CONDITIONS[name](row)]


def totals(rows: Sequence[Gradient]) -> Totals:
    """Count over rows."""
    present = [row for row in rows if row.present]
    return Totals(
        tensors=len(rows),
        present=len(present),
        earlier=sum(row.reason is Reason.LEFT_BY_EARLIER for row in present),
        added=sum(row.before for row in present),
        nan=sum(row.nan > 0 for row in present),
        inf=sum(row.inf > 0 for row in present),
        zero=sum(_CONDITIONS["zero"](row) for row in present),
        norm=math.hypot(*(row.norm for row in present)),
    )


def _sorted(rows: list[Gradient], sort: str) -> list[Gradient]:
    check_words(sort)
    key = sort.lstrip("+-")
    of = _SORT_KEYS[key]
    if key == "name":
        return sorted(rows, key=of, reverse=sort.startswith("-"))
    ascending = sort.startswith("+")

    def place(row: Gradient) -> tuple[int, float]:
        value = float(of(row))
        if not row.present:
            return 1, 0.0
        if math.isnan(value):
            # The deviation of a single element is NaN too, and nothing is wrong with it.
            return (0, 0.0) if row.nan or row.inf else (3, 0.0)
        return 2, value if ascending else -value

    return sorted(rows, key=place)
