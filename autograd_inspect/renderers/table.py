"""Gradients as a table: aligned for a terminal, tab-separated for a pipe, CSV, JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import HISTOGRAM_DECADES, Gradient, Holding, Reason
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.totals import Totals
from autograd_inspect.renderers import births, sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import Glyphs, counted, exact, figure, glyphs, safe

SCHEMA = "agi.grads/1"

_HOLDINGS = {Holding.UNKNOWN: "", Holding.HELD: "holds it", Holding.NOT_HELD: "none holds it"}

#: The heading of the bars is their axis: one column per decade.
_RANGE = (
    f"1e{HISTOGRAM_DECADES[0]} |g|".ljust(len(HISTOGRAM_DECADES) - 4) + f"1e{HISTOGRAM_DECADES[-1]}"
)

#: What a narrow terminal goes without, in this order.
_DISPENSABLE = ("dtype", "std", "mean", "min", "max", "zeros", _RANGE, "shape")


def render(
    rows: Sequence[Gradient],
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay rows out for a terminal; columns that have no room are left out and named below."""
    return _sheet(rows, glyphs(ascii=ascii)).render(rows, width=width, color=color)


def footer(
    totals: Totals,
    *,
    shown: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Sum up a table in one line: `148 tensors · 148 with gradient · 0 without · 0 NaN · ...`."""
    tensors = counted(totals.tensors, "tensor")
    if shown is not None and shown < totals.tensors:
        tensors = f"{shown:,} of {tensors} shown"
    facts = [
        (tensors, ""),
        (f"{totals.present:,} with gradient", ""),
        *(
            [(f"{totals.earlier:,} of them left by an earlier backward", "yellow")]
            if totals.earlier
            else []
        ),
        (f"{totals.absent:,} without", "yellow" if totals.absent else ""),
        (f"{totals.nan:,} NaN", "bold red" if totals.nan else ""),
    ]
    if totals.inf:
        facts.append((f"{totals.inf:,} Inf", "bold red"))
    if totals.zero:
        facts.append((f"{totals.zero:,} all zero", "yellow"))
    if totals.added:
        facts.append((f"{totals.added:,} added to a gradient that was there before", "yellow"))
    facts.append((f"total norm {figure(totals.norm)}", "bold"))
    return sheet.in_a_line(facts, glyphs(ascii=ascii).dot, color=color)


def tabbed(rows: Sequence[Gradient]) -> str:
    """Write rows as tab-separated values under one line of headings, nothing cut or rounded."""
    return sheet.tabbed(_exact_values(rows))


def csv(rows: Sequence[Gradient]) -> str:
    """Write rows as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(rows))


def to_json(capture: Capture, rows: Sequence[Gradient], trouble: NonFinite | None = None) -> str:
    """Write rows as one JSON object, each row in a line.

    NaN and infinities are the strings "nan", "inf" and "-inf"; a complex mean is [real, imaginary];
    figures of a tensor without a gradient are null. `trouble` is where gradients went bad.
    """
    head: dict[str, object] = {
        "schema": SCHEMA,
        "capture": sheet.about(capture),
        "histogram_decades": list(HISTOGRAM_DECADES),
        "first_nonfinite": births.to_json(trouble),
    }
    return sheet.to_json(head, map(_as_json, rows))


def _sheet(rows: Sequence[Gradient], signs: Glyphs) -> Sheet[Gradient]:
    told = any(map(_origin, rows))
    columns = [column for column in _columns(signs) if told or column.text is not _origin]
    silent = [] if any(row.nan or row.inf for row in rows) else ["NaN", "Inf"]
    if all(_dtype(row) == "float32" for row in rows):
        silent.append("dtype")
    return Sheet(columns, silent, _DISPENSABLE, lambda row: "" if row.present else row.reason.text)


def _columns(signs: Glyphs) -> list[Column[Gradient]]:
    return [
        Column("name", lambda row: _safe(row.name, signs), _style, right=False, figure=False),
        Column("shape", _shape, lambda _: "cyan", right=False, figure=False),
        Column("dtype", _dtype, right=False, figure=False),
        Column("norm", lambda row: figure(row.norm), _style),
        Column("mean", lambda row: figure(row.mean)),
        Column("std", lambda row: figure(row.std) if row.count > 1 else ""),
        Column("min", lambda row: figure(row.min)),
        Column("max", lambda row: figure(row.max)),
        Column("zeros", lambda row: sheet.share(row.zero_share), _style),
        Column("NaN", lambda row: f"{row.nan:,}", lambda row: "bold red" if row.nan else "dim"),
        Column("Inf", lambda row: f"{row.inf:,}", lambda row: "bold red" if row.inf else "dim"),
        Column(
            _RANGE,
            lambda row: _bars(row.histogram, signs.bars),
            right=False,
            missed="histogram",
        ),
        Column("from", _origin, lambda _: "yellow", right=False),
    ]


def _style(row: Gradient) -> str:
    if row.nan or row.inf:
        return "bold red"
    return "" if row.present and row.zeros < row.count else "yellow"


def _shape(row: Gradient) -> str:
    return row.spec.shape_text if row.spec else ""


def _dtype(row: Gradient) -> str:
    """Give the tensor's dtype, and behind it the gradient's where that is another."""
    own = row.spec.dtype if row.spec else ""
    return own if row.dtype in {"", own} else f"{own} ({row.dtype})"


def _origin(row: Gradient) -> str:
    """Say where a gradient is from that the captured backward alone did not send."""
    if row.reason is Reason.LEFT_BY_EARLIER:
        return "earlier"
    return "earlier too" if row.before else ""


def _bars(histogram: Sequence[int], bars: str) -> str:
    """Draw counts as bars; a count that is not zero can always be seen."""
    most = max(histogram, default=0)
    steps = len(bars) - 1
    return "".join(
        bars[math.ceil(count / most * steps)] if count else bars[0] for count in histogram
    )


def _safe(name: str, signs: Glyphs) -> str:
    return safe(name, ascii=signs.rail.isascii())


def _exact_values(rows: Sequence[Gradient]) -> Iterator[list[str]]:
    """Give the headings, then the values of each row; empty where there is no gradient.

    What does not print in a name is escaped, so that a row is a line.
    """
    yield [
        *("name", "shape", "dtype", "device", "grad_dtype", "norm", "mean", "std", "min", "max"),
        *("zeros", "nan", "inf", "count", "histogram", "before", "reason"),
        "optimizer",
    ]
    for row in rows:
        figures = [exact(value) for value in (row.norm, row.mean, row.std, row.min, row.max)]
        figures += map(str, (row.zeros, row.nan, row.inf, row.count))
        figures.append(" ".join(map(str, row.histogram)))
        spec = row.spec
        tensor = [spec.shape_text, spec.dtype, spec.device] if spec else [""] * 3
        told = figures if row.present else [""] * len(figures)
        came = [str(row.before).lower(), row.reason.text, _HOLDINGS[row.holding]]
        yield [safe(row.name), *tensor, row.dtype, *told, *came]


def _as_json(row: Gradient) -> dict[str, object]:
    spec = row.spec
    figures = ("norm", "mean", "std", "min", "max", "zeros", "nan", "inf", "count", "histogram")
    return {
        "name": row.name,
        "node": row.node if row.node >= 0 else None,
        "shape": list(spec.shape) if spec else None,
        "dtype": spec.dtype if spec else None,
        "device": spec.device if spec else None,
        "grad_dtype": row.dtype or None,
        "reason": row.reason.name.lower(),
        "explanation": row.reason.text,
        "before": row.before,
        "optimizer": _HOLDINGS[row.holding] or None,
        **{name: sheet.number(getattr(row, name)) if row.present else None for name in figures},
    }
