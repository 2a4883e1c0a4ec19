"""What the places of the zeros make of a block."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd_inspect.model.derivatives import Block


def block(values: np.ndarray, rows: int = 1) -> Block:
    shape = values.shape
    return Block("f", "x", shape[:rows], shape[rows:], "float64", values)


FULL = np.arange(1.0, 10).reshape(3, 3)


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (np.zeros((3, 3)), "zero"),
        (3 * np.eye(3), "scaled identity"),
        (np.diag([1.0, 0.0, 2.0]), "diagonal"),
        (np.diag([math.nan, math.nan]), "diagonal"),
        (np.tril(FULL), "lower triangular"),
        (np.triu(FULL), "upper triangular"),
        (FULL + FULL.T, "symmetric"),
        (FULL, ""),
        (FULL[:2], ""),
        (np.ones((1, 1)), ""),
        (np.ones((0, 3)), "empty"),
    ],
)
def test_a_matrix_is_named_by_its_pattern(values: np.ndarray, pattern: str) -> None:
    assert block(values).pattern == pattern


def test_a_nearly_diagonal_matrix_is_not_diagonal() -> None:
    values = np.eye(3)
    values[2, 0] = 1e-30
    assert block(values).pattern == "lower triangular"


def test_samples_that_depend_on_themselves_alone_are_block_diagonal() -> None:
    values = np.zeros((4, 2, 4, 3))
    for sample in range(4):
        values[sample, :, sample, :] = FULL[:2] + sample
    assert block(values, rows=2).pattern == "block diagonal"
    values[0, 0, 1, 0] = 1e-9
    assert block(values, rows=2).pattern == ""


def test_figures_count_what_is_there() -> None:
    found = block(np.array([[3.0, math.nan, 0.0], [4.0, math.inf, -math.inf]]))
    assert (found.nan, found.inf, found.zeros) == (1, 2, 1)
    assert math.isnan(found.norm)
    assert found.finite.tolist() == [3.0, 0.0, 4.0]
    assert block(np.array([[3.0, 4.0]])).norm == 5.0


def test_the_norm_of_halves_does_not_overflow() -> None:
    assert block(np.full((10, 10), 60000, np.float16)).norm == 600_000


def test_the_matrix_has_a_row_for_each_element_of_the_output() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    assert block(values, rows=2).matrix.tolist() == values.reshape(6, 4).tolist()
    assert block(np.array(2.0), rows=0).matrix.tolist() == [[2.0]]
