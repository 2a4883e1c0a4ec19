"""Blocks as text, JSON and arrays: every number comes back as it was."""

from __future__ import annotations

import csv as csv_format
import io
import json
import math
import re
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load

from autograd_inspect.errors import RenderError
from autograd_inspect.model.derivatives import Block, Check, Derivatives, Mode, Variable
from autograd_inspect.renderers import derivatives as drawn
from autograd_inspect.renderers import numbers


def variable(name: str, *shape: int) -> Variable:
    return Variable(name, shape, "float32", np.ones(shape, np.float32))


def jacobian(values: np.ndarray, rows: int = 1, **more: Any) -> Derivatives:
    """The Jacobian of f by x, of these values."""
    above, beside = values.shape[:rows], values.shape[rows:]
    block = Block("f", "x", above, beside, str(values.dtype), values)
    return Derivatives(
        Mode.JACOBIAN, "f", [variable("x", *beside)], [variable("f", *above)], [block], **more
    )


def test_a_small_block_is_printed_in_full_and_aligned() -> None:
    text = drawn.render(jacobian(np.array([[1.25, 0, -3], [1e-7, math.nan, 2000]])))
    assert text == ("d f / d x  [2] × [3]  1 NaN\n   1.25    ·    -3\n  1e-07  nan  2000\n\n")


def test_without_unicode_zeros_are_zeros() -> None:
    text = drawn.render(jacobian(2 * np.eye(2)), ascii=True)
    assert text == "d f / d x  [2] x [2]  2 x identity\n  2  0\n  0  2\n\n"
    assert drawn.render(jacobian(np.ones((300, 300))), ascii=True).isascii()


def test_rows_and_columns_of_several_dimensions_have_their_index() -> None:
    lines = drawn.render(jacobian(np.ones((2, 1, 2)), rows=2)).splitlines()
    assert lines[1].split() == ["[0]", "[1]"]
    assert [line.split()[0] for line in lines[2:4]] == ["[0,0]", "[1,0]"]


def test_a_large_block_has_its_figures_its_corners_and_a_picture() -> None:
    values = np.diag(np.arange(1.0, 101))
    text = drawn.render(jacobian(values), width=80)
    assert "[100] × [100]  diagonal" in text
    assert "from 0 to 100, 99.0% zeros" in text
    assert re.search(r"… +· +99 +·\n.*… +· +· +100\n", text)
    picture = re.findall(r"\|(.*)\|", text)
    assert len(picture) == 12
    assert {len(line) for line in picture} == {48}
    for number, line in enumerate(picture):  # nothing but the diagonal has any ink
        assert line[: 4 * number].strip() == ""
        assert line[4 * number : 4 * number + 4].strip()
        assert line[4 * number + 4 :].strip() == ""
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [20, 33, 80])
def test_no_line_of_numbers_is_wider_than_the_terminal(width: int) -> None:
    text = drawn.render(jacobian(np.full((9, 40), -1.2345e-20)), width=width)
    assert all(len(line) <= width for line in text.splitlines() if line.startswith("  -1"))


def test_a_small_hessian_is_one_matrix_with_names() -> None:
    inputs = [variable("x", 2), variable("s")]
    values = {"xx": np.eye(2), "xs": np.ones(2), "sx": np.ones(2), "ss": np.array(5.0)}
    blocks = [
        Block(a.name, b.name, a.shape, b.shape, "float64", values[a.name + b.name])
        for a in inputs
        for b in inputs
    ]
    text = drawn.render(Derivatives(Mode.HESSIAN, "f", inputs, [variable("f")], blocks))
    *headings, matrix = text.strip("\n").split("\n\n")
    assert headings[0].splitlines()[1] == "d² f / d x d s  [2] × []"
    assert [line.split() for line in matrix.splitlines()] == [
        ["x[0]", "x[1]", "s"],
        ["x[0]", "1", "·", "1"],
        ["x[1]", "·", "1", "1"],
        ["s", "1", "1", "5"],
    ]


def test_a_product_stands_below_what_the_function_gives() -> None:
    block = Block("x", "", (2,), (), "float32", np.array([1.0, 2.0]))
    found = Derivatives(Mode.VJP, "f", [variable("x", 2)], [variable("f", 3)], [block])
    assert drawn.render(found) == "f  [3]\n  1  1  1\n\nv · d f / d x  [2]\n  1  2\n\n"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check("forward mode"), "checked: forward mode agrees exactly"),
        (Check("forward mode", difference=1.25e-7), "checked: forward mode agrees to 1.2e-07"),
        (
            Check("hvp", agrees=False, difference=0.5, place="x at [1]: 1.0 here, 2.0 there"),
            "hvp disagrees by 0.5 (x at [1]: 1.0 here, 2.0 there)",
        ),
        (Check(skipped="complex numbers"), "not checked: complex numbers"),
    ],
)
def test_what_was_checked_is_said(check: Check, said: str) -> None:
    found = jacobian(np.eye(2), check=check)
    assert drawn.render(found).splitlines()[-1] == said
    assert list(drawn.remarks(found, verdicts=True)) == [said]
    assert list(drawn.remarks(found)) == []


def test_random_draws_and_integers_are_remarked() -> None:
    found = jacobian(np.eye(2), draws=True, left_out=["f['\x1b']"])
    drawing, left = drawn.remarks(found)
    assert drawing.startswith("f draws random numbers")
    assert left.endswith("f['\\x1b']")


finite_or_not = st.floats(width=32)
matrices = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2), elements=finite_or_not
)


@settings(max_examples=50)
@given(matrices)
def test_every_value_comes_back_from_every_form(values: np.ndarray) -> None:
    found = jacobian(values)
    for text, delimiter in ((numbers.tabbed(found), "\t"), (numbers.csv(found), ",")):
        heading, *lines = csv_format.reader(io.StringIO(text), delimiter=delimiter)
        assert heading == ["output", "input", "output_index", "input_index", "value"]
        back = np.zeros_like(values)
        for output, by, row, column, value in lines:
            assert (output, by) == ("f", "x")
            back[int(row), int(column)] = float(value)
        np.testing.assert_array_equal(back, values)
    (row,) = json.loads(numbers.to_json(found))["rows"]
    np.testing.assert_array_equal(np.array(row["values"], np.float32), values)
    assert row["nan"] == np.isnan(values).sum()
    for write, read in ((numbers.npz, np.load), (numbers.safetensors, None)):
        data = write(found)
        back = read(io.BytesIO(data))["f/x"] if read else load(data)["f/x"]
        np.testing.assert_array_equal(back, values)
        assert back.dtype == values.dtype


def test_json_is_strict_and_leaves_out_what_is_large() -> None:
    found = jacobian(np.array([[math.nan, math.inf], [1.0, -math.inf]]))
    table = json.loads(numbers.to_json(found), parse_constant=pytest.fail)
    assert table["schema"] == "agi.functional/1"
    assert table["rows"][0]["values"] == [["nan", "inf"], [1.0, "-inf"]]
    (large,) = json.loads(numbers.to_json(jacobian(np.ones((101, 100)))))["rows"]
    assert large["values"] is None
    assert (large["shape"], large["min"], large["max"]) == ([101, 100], 1.0, 1.0)


def test_complex_numbers_are_pairs() -> None:
    (row,) = json.loads(numbers.to_json(jacobian(np.array([[1 + 2j]]))))["rows"]
    assert row["values"] == [[[1.0, 2.0]]]
    assert numbers.tabbed(jacobian(np.array([[1 + 2j]]))).splitlines()[1].endswith("\t1+2j")


def test_names_that_would_move_the_cursor_do_not() -> None:
    block = Block("f\x1b[2J", "x\n\t", (1,), (1,), "float32", np.ones((1, 1)))
    found = Derivatives(Mode.JACOBIAN, "f\x1b[2J", [], [], [block])
    assert "\x1b" not in drawn.render(found)
    assert len(numbers.tabbed(found).splitlines()) == 2


def test_a_product_in_a_file_comes_with_what_the_function_gave() -> None:
    block = Block("x", "", (2,), (), "float32", np.ones(2, np.float32))
    found = Derivatives(Mode.VJP, "f", [variable("x", 2)], [variable("f", 3)], [block])
    assert set(load(numbers.safetensors(found))) == {"x", "value/f"}
    assert set(np.load(io.BytesIO(numbers.npz(found)))) == {"x", "value/f"}


def test_an_input_may_be_called_file() -> None:
    block = Block("f", "file", (1,), (1,), "float32", np.ones((1, 1), np.float32))
    found = Derivatives(Mode.JACOBIAN, "f", [], [], [block])
    assert list(np.load(io.BytesIO(numbers.npz(found)))) == ["f/file"]


def test_without_safetensors_the_pip_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(RenderError) as caught:
        numbers.safetensors(jacobian(np.eye(2)))
    assert caught.value.hint == "pip install 'autograd-inspect[safetensors]'"
