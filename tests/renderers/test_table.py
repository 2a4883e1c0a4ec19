"""The gradient table: for people on a terminal, exact everywhere else."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from build import make_capture, make_gradients
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import HISTOGRAM_DECADES, Gradient, Gradients, Reason
from autograd_inspect.model.tables import Spec
from autograd_inspect.model.totals import Totals
from autograd_inspect.renderers import table
from autograd_inspect.renderers.text import safe

FIGURES = ("norm", "mean", "std", "min", "max")
WHOLE = ("zeros", "nan", "inf", "count")


def gradients_with(names: list[str], **columns: object) -> Gradients:
    gradients = make_gradients(names)
    changed = {
        name: np.array(values, getattr(gradients.table, name).dtype)
        for name, values in columns.items()
    }
    return replace(gradients, table=replace(gradients.table, **changed))


def mixed() -> Gradients:
    """Make rows of every kind: usual, NaN, infinite, all zero, none, complex."""
    histogram = np.zeros((6, len(HISTOGRAM_DECADES) - 1), np.int64)
    histogram[0, 9:13] = [1, 50, 800, 149]
    gradients = gradients_with(
        ["encoder.weight", "encoder.bias", "scale", "head.weight", "head.bias", "phase"],
        norm=[1.23456789, math.nan, math.inf, 0, math.nan, 2.5e-9],
        mean=[-0.00123456789, math.nan, math.inf, 0, math.nan, 1e-9],
        mean_imag=[0, 0, 0, 0, 0, -2e-9],
        std=[0.5, math.nan, math.nan, 0, math.nan, 1e-10],
        min=[-3.25, math.nan, -math.inf, 0, math.nan, 0],
        max=[3.5, math.nan, math.inf, 0, math.nan, 1e-9],
        zeros=[1, 0, 0, 6, 0, 0],
        nan=[0, 2, 0, 0, 0, 0],
        inf=[0, 0, 1, 0, 0, 0],
        count=[1000, 6, 1, 6, 0, 4],
        dtype=[0, 0, 0, 0, -1, 1],
        spec=[0, 0, 0, 0, 0, 1],
        reason=[0, 0, 0, 0, Reason.NOT_REACHED, 0],
        histogram=histogram,
    )
    specs = (Spec((2, 3), "float32", "cpu"), Spec((4,), "complex64", "cuda:0"))
    return replace(gradients, specs=specs, dtypes=("float32", "complex64"))


def capture_with(gradients: Gradients) -> Capture:
    return replace(make_capture(), gradients=gradients)


def lines_of(
    rows: list[Gradient], width: int | None = None, *, ascii_only: bool = False
) -> list[str]:
    return table.render(rows, width=width, ascii=ascii_only).splitlines()


def test_a_wide_terminal_shows_every_column_with_four_digits() -> None:
    heading, weight, *_ = lines_of(list(mixed()), 200)
    assert heading.split() == [
        *("name", "shape", "dtype", "norm", "mean", "std", "min", "max"),
        *("zeros", "NaN", "Inf", "1e-12", "|g|", "1e4"),
    ]
    assert weight.split() == [
        *("encoder.weight", "[2,", "3]", "float32", "1.235", "-0.001235", "0.5", "-3.25", "3.5"),
        *("0.1%", "0", "0", "▁▁█▂"),
    ]


def test_bars_stand_below_their_decade() -> None:
    heading, weight, *_ = lines_of(list(mixed()), 200)
    axis = heading.index("1e-12")
    assert weight.index("▁") == axis + 9
    assert len(heading) - axis == len(HISTOGRAM_DECADES) - 1


def test_a_missing_gradient_says_why_in_the_place_of_its_figures() -> None:
    line = next(line for line in lines_of(list(mixed()), 120) if "head.bias" in line)
    assert line.rstrip().endswith("not reached from the root")
    assert "nan" not in line


def test_a_share_of_zeros_is_never_rounded_to_all_or_none() -> None:
    gradients = gradients_with(["a", "b", "c"], zeros=[1, 999_999, 10**6], count=[10**6] * 3)
    shares = [line.split()[-3:-2] for line in lines_of(list(gradients))[1:]]
    assert shares == [["0.1%"], ["99.9%"], ["100%"]]


@pytest.mark.parametrize("width", [200, 100, 80, 50])
def test_a_narrow_terminal_drops_columns_and_says_which(width: int) -> None:
    lines = lines_of(list(mixed()), width)
    assert max(map(cell_len, lines[:-1])) <= width
    assert all(name in "\n".join(lines) for name in ("norm", "NaN", "Inf", "phase"))
    heading, note = lines[0], lines[-1]
    for column in ("mean", "std", "min", "max"):
        assert (column in heading.split()) != (note.startswith("no room") and f" {column}" in note)


def test_a_name_too_long_for_the_terminal_is_never_cut() -> None:
    name = ".".join(["transformer"] * 12)
    lines = lines_of(list(gradients_with([name, "b"])), 80)
    assert name in lines
    assert lines[lines.index(name) + 1].lstrip().startswith("[2, 3]")


def test_colour_only_repeats_what_the_text_says() -> None:
    rows = list(mixed())
    colored = table.render(rows, width=120, color=True)
    assert "\x1b[1;31m" in colored
    assert "\x1b" not in table.render(rows, width=120)
    assert table.render(rows, width=120, ascii=True).isascii()


def test_the_footer_sums_up() -> None:
    assert table.footer(Totals(148, 148, 0, 0, 0, 0, 0, 1.23449)) == (
        "148 tensors · 148 with gradient · 0 without · 0 NaN · total norm 1.234\n"
    )
    found = table.footer(Totals(5, 4, 0, 1, 1, 2, 1, math.nan), shown=3, ascii=True)
    assert found == (
        "3 of 5 tensors shown - 4 with gradient - 1 without - 1 NaN - 2 Inf - 1 all zero"
        " - 1 added to a gradient that was there before - total norm nan\n"
    )


floats = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def tables(draw: st.DrawFn) -> Gradients:
    """Draw gradient tables with any figures and any names."""
    names = draw(st.lists(st.text(max_size=12), min_size=1, max_size=6, unique=True))
    some = st.lists(floats, min_size=len(names), max_size=len(names))
    whole = st.lists(st.integers(0, 2**60), min_size=len(names), max_size=len(names))
    absent = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    return gradients_with(
        names,
        **{name: draw(some) for name in (*FIGURES, "mean_imag")},
        **{name: draw(whole) for name in WHOLE},
        reason=[Reason.NOT_REACHED if gone else Reason.ARRIVED for gone in absent],
        dtype=[-1 if gone else 0 for gone in absent],
    )


def same(one: complex, other: complex) -> bool:
    parts = zip((one.real, one.imag), (other.real, other.imag), strict=True)
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in parts)


@given(tables())
def test_json_is_strict_and_reads_back_the_same(gradients: Gradients) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    capture = capture_with(gradients)
    whole = json.loads(table.to_json(capture, list(gradients)), parse_constant=refuse)
    assert whole["schema"] == "agi.grads/1"
    assert whole["capture"]["place"] == {"file": "train.py", "line": 12, "function": "train"}
    assert len(whole["rows"]) == len(gradients)
    for row, told in zip(gradients, whole["rows"], strict=True):
        assert told["name"] == row.name
        if not row.present:
            assert {told[name] for name in (*FIGURES, *WHOLE)} == {None}
            continue
        for name in FIGURES:
            value = told[name]
            parts = value if isinstance(value, list) else [value, 0.0]
            assert same(complex(*map(float, parts)), complex(getattr(row, name)))
        assert [told[name] for name in WHOLE] == [getattr(row, name) for name in WHOLE]


@given(tables())
def test_csv_and_pipe_read_back_the_same(gradients: Gradients) -> None:
    read = list(csv.DictReader(io.StringIO(table.csv(list(gradients)), newline="")))
    piped = table.tabbed(list(gradients)).rstrip("\n").split("\n")
    heading = piped[0].split("\t")
    for row, told, line in zip(gradients, read, piped[1:], strict=True):
        assert told["name"] == safe(row.name)
        assert dict(zip(heading, line.split("\t"), strict=True)) == told
        if not row.present:
            assert told["norm"] == told["count"] == ""
            assert told["reason"] == "not reached from the root"
            continue
        assert same(complex(told["mean"]), row.mean)
        assert all(
            same(float(told[name]), getattr(row, name)) for name in FIGURES if name != "mean"
        )
        assert [int(told[name]) for name in WHOLE] == [getattr(row, name) for name in WHOLE]


@given(tables(), st.integers(30, 200))
def test_any_table_can_be_drawn(gradients: Gradients, width: int) -> None:
    rows = list(gradients)
    for line in lines_of(rows, width, ascii_only=True):
        assert line.isprintable()
        assert line.isascii()


def test_no_rows_leave_the_heading() -> None:
    assert lines_of([], 80)[0].split()[0] == "name"
    assert table.tabbed([]).startswith("name\tshape")
    assert json.loads(table.to_json(make_capture(), []))["rows"] == []
