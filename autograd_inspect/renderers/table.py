"""Gradients as a table: aligned for a terminal, tab-separated for a pipe, CSV, JSON.

On a terminal colour only repeats what the text says. Everywhere else values are exact and complete.
"""

from __future__ import annotations

import csv as csv_format
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import HISTOGRAM_DECADES, Gradient, Reason
from autograd_inspect.model.totals import Totals
from autograd_inspect.renderers.text import (
    Glyphs,
    Segment,
    counted,
    exact,
    figure,
    glyphs,
    paint,
    safe,
    width_of,
)

SCHEMA = "agi.grads/1"

#: The heading of the bars is their axis: one column per decade.
_RANGE = (
    f"1e{HISTOGRAM_DECADES[0]} |g|".ljust(len(HISTOGRAM_DECADES) - 4) + f"1e{HISTOGRAM_DECADES[-1]}"
)

#: What a narrow terminal goes without, in this order.
_DISPENSABLE = ("dtype", "std", "mean", "min", "max", "zeros", _RANGE, "shape")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column on a terminal: a heading, the text of a row, its style, and the side it lines up."""

    heading: str
    text: Callable[[Gradient], str]
    style: Callable[[Gradient], str] = lambda _: ""
    right: bool = True
    figure: bool = True

    def beside(self, text: str, size: int) -> str:
        """Pad a text to the width of the column."""
        gap = " " * (size - width_of([(text, "")]))
        return gap + text if self.right else text + gap


def render(
    rows: Sequence[Gradient],
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay rows out for a terminal; columns that have no room are left out and named below."""
    signs = glyphs(ascii=ascii)
    columns, missing = _fitting(rows, _columns(signs), width)
    lines = [
        _spaced([(column.beside(column.heading, size), "bold") for column, size in columns.items()])
    ]
    for row in rows:
        lines += _line(row, columns)
    if missing:
        names = ", ".join(missing)
        lines.append([(f"no room for {names}: a wider terminal, or a pipe, has them", "dim")])
    return "".join(f"{paint(line, color=color)}\n" for line in lines)


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
    line: list[Segment] = []
    for fact in facts:
        line += [(f" {glyphs(ascii=ascii).dot} ", "dim"), fact] if line else [fact]
    return paint(line, color=color) + "\n"


def tabbed(rows: Sequence[Gradient]) -> str:
    """Write rows as tab-separated values under one line of headings, nothing cut or rounded."""
    return "".join("\t".join(values) + "\n" for values in _exact_values(rows))


def csv(rows: Sequence[Gradient]) -> str:
    """Write rows as CSV with the columns of `tabbed`."""
    stream = io.StringIO()
    csv_format.writer(stream, lineterminator="\n").writerows(_exact_values(rows))
    return stream.getvalue()


def to_json(capture: Capture, rows: Sequence[Gradient]) -> str:
    """Write rows as one JSON object, each row in a line.

    NaN and infinities are the strings "nan", "inf" and "-inf"; a complex mean is [real, imaginary];
    figures of a tensor without a gradient are null.
    """
    head = {
        "schema": SCHEMA,
        "capture": _about(capture),
        "histogram_decades": list(HISTOGRAM_DECADES),
    }
    lines = ",\n".join(json.dumps(_as_json(row), allow_nan=False) for row in rows)
    return f'{json.dumps(head, allow_nan=False)[:-1]}, "rows": [\n{lines}\n]}}\n'


def _columns(signs: Glyphs) -> list[_Column]:
    return [
        _Column("name", lambda row: _safe(row.name, signs), _style, right=False, figure=False),
        _Column("shape", _shape, lambda _: "cyan", right=False, figure=False),
        _Column("dtype", _dtype, right=False, figure=False),
        _Column("norm", lambda row: figure(row.norm), _style),
        _Column("mean", lambda row: figure(row.mean)),
        _Column("std", lambda row: figure(row.std) if row.count > 1 else ""),
        _Column("min", lambda row: figure(row.min)),
        _Column("max", lambda row: figure(row.max)),
        _Column("zeros", _zeros, _style),
        _Column("NaN", lambda row: f"{row.nan:,}", lambda row: "bold red" if row.nan else "dim"),
        _Column("Inf", lambda row: f"{row.inf:,}", lambda row: "bold red" if row.inf else "dim"),
        _Column(_RANGE, lambda row: _bars(row.histogram, signs.bars), right=False),
        _Column("from", _origin, lambda _: "yellow", right=False),
    ]


def _fitting(
    rows: Sequence[Gradient], columns: list[_Column], width: int | None
) -> tuple[dict[_Column, int], list[str]]:
    """Give the columns that fit with their widths, and the names of those left out.

    Columns that would tell nothing are the first to go, and are not missed.
    """
    told = [column for column in columns if column.text is not _origin or any(map(_origin, rows))]
    sizes = {column: _size(column, rows, width) for column in told}
    silent = [] if any(row.nan or row.inf for row in rows) else ["NaN", "Inf"]
    if all(_dtype(row) == "float32" for row in rows):
        silent.append("dtype")
    missing = []
    for heading in (*silent, *_DISPENSABLE):
        if width is None or sum(sizes.values()) + 2 * len(sizes) - 2 <= width:
            break
        kept = {column: size for column, size in sizes.items() if column.heading != heading}
        if len(kept) < len(sizes) and heading not in silent:
            missing.append(heading if heading != _RANGE else "histogram")
        sizes = kept
    return sizes, missing


def _size(column: _Column, rows: Sequence[Gradient], width: int | None) -> int:
    """Give the width of a column; a name longer than half a terminal has a line of its own."""
    told = [row for row in rows if row.present or not column.figure]
    sizes = [width_of([(column.text(row), "")]) for row in told]
    if width is not None:
        sizes = [size for size in sizes if size <= width // 2]
    return max([len(column.heading), *sizes])


def _line(row: Gradient, columns: dict[_Column, int]) -> list[list[Segment]]:
    """Lay out one row; a name too long for the terminal gets a line of its own."""
    cells: list[Segment] = []
    for column, size in columns.items():
        if column.figure and not row.present:
            cells.append((row.reason.text, "yellow"))
            break
        cells.append((column.beside(column.text(row), size), column.style(row)))
    name = next(iter(columns.values()))
    if width_of(cells[:1]) > name:
        return [cells[:1], _spaced([(" " * name, ""), *cells[1:]])]
    return [_spaced(cells)]


def _spaced(cells: list[Segment]) -> list[Segment]:
    return [part for cell in cells for part in (("  ", ""), cell)][1:]


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


def _zeros(row: Gradient) -> str:
    """Write the share of zeros, never rounded to all or none of them."""
    share = row.zero_share
    if math.isnan(share) or share in {0.0, 1.0}:
        return "" if math.isnan(share) else f"{share:.0%}"
    return f"{min(max(share, 0.001), 0.999):.1%}"


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
    ]
    for row in rows:
        figures = [exact(value) for value in (row.norm, row.mean, row.std, row.min, row.max)]
        figures += map(str, (row.zeros, row.nan, row.inf, row.count))
        figures.append(" ".join(map(str, row.histogram)))
        spec = row.spec
        tensor = [spec.shape_text, spec.dtype, spec.device] if spec else [""] * 3
        told = figures if row.present else [""] * len(figures)
        yield [safe(row.name), *tensor, row.dtype, *told, str(row.before).lower(), row.reason.text]


def _about(capture: Capture) -> dict[str, object]:
    about, graph = capture.about, capture.graph
    return {
        "target": about.target,
        "arguments": list(about.arguments),
        "expression": about.expression,
        "created": about.created,
        "place": asdict(about.place) if about.place else None,
        "call": about.call,
        "number": about.number,
        "backward": about.backward.value,
        "partial": about.partial,
        "nodes": len(graph),
        "edges": graph.edge_count,
        "leaves": len(graph.leaf_table.node),
    }


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
        **{name: _number(getattr(row, name)) if row.present else None for name in figures},
    }


def _number(value: object) -> object:
    """Give a number as strict JSON has it."""
    if isinstance(value, complex):
        return [_number(value.real), _number(value.imag)] if value.imag else _number(value.real)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value
