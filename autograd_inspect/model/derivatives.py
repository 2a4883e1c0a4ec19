"""Derivatives of a function: blocks of a Jacobian or Hessian, or its product with a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


class Mode(str, Enum):
    """What is computed: a whole matrix, or its product with a vector from the left or right."""

    JACOBIAN = "jacobian"
    HESSIAN = "hessian"
    VJP = "vjp"
    JVP = "jvp"
    VHP = "vhp"
    HVP = "hvp"

    @property
    def is_matrix(self) -> bool:
        """Whether every pair of an output and an input has a block."""
        return self in {Mode.JACOBIAN, Mode.HESSIAN}

    @property
    def is_second(self) -> bool:
        """Whether it is of the second derivative."""
        return self in {Mode.HESSIAN, Mode.VHP, Mode.HVP}


@dataclass(frozen=True, slots=True)
class Variable:
    """An input or an output: what the program calls it, and its values where they are kept."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    values: Values | None = None

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Block:
    """The derivatives of one output by one input, or the part of a product that is of one of them.

    row, column  names of the two; a product has no columns
    rows         the shape of the output, which the shape of `values` begins with
    columns      the shape of the input, which it ends with
    dtype        of torch's result; numpy has no bfloat16, which is float32 here
    unreached    torch found no path from the output to the input
    """

    row: str
    column: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    dtype: str
    values: Values
    unreached: bool = False

    @cached_property
    def matrix(self) -> Values:
        """The values with one row for each element of the output."""
        return self.values.reshape(math.prod(self.rows), math.prod(self.columns))

    @cached_property
    def finite(self) -> Values:
        """The values that are neither NaN nor infinite."""
        return self.values[np.isfinite(self.values)]

    @property
    def least(self) -> float:
        """The smallest of the finite values, which are real."""
        return float(self.finite.min())

    @property
    def most(self) -> float:
        """The largest of the finite values, which are real."""
        return float(self.finite.max())

    @property
    def norm(self) -> float:
        """The Euclidean norm, NaN where a value is."""
        wide = np.abs(self.values).astype(np.float64).ravel()
        return float(np.sqrt(wide @ wide))

    @property
    def zeros(self) -> int:
        """How many values are exactly zero."""
        return int((self.values == 0).sum())

    @property
    def nan(self) -> int:
        """How many values are NaN."""
        return int(np.isnan(self.values).sum())

    @property
    def inf(self) -> int:
        """How many values are infinite."""
        return int(np.isinf(self.values).sum())

    @cached_property
    def pattern(self) -> str:
        """What the places of its zeros, exactly, make of it; empty for nothing special.

        `zero`, `scaled identity`, `diagonal`, `lower triangular`, `upper triangular`, `block
        diagonal`; `symmetric` where none of these is true.
        """
        if not self.values.size:
            return "empty"
        if not self.values.any():
            return "zero"
        if not self.columns or self.matrix.shape == (1, 1):
            return ""
        return _square_pattern(self.matrix) or _batch_pattern(self)


def _square_pattern(matrix: Values) -> str:
    rows, columns = matrix.shape
    if rows != columns:
        return ""
    at_diagonal = matrix.diagonal()
    if np.count_nonzero(matrix) == np.count_nonzero(at_diagonal):
        same = (at_diagonal == at_diagonal[0]).all()
        return "scaled identity" if same else "diagonal"
    if not np.triu(matrix, 1).any():
        return "lower triangular"
    if not np.tril(matrix, -1).any():
        return "upper triangular"
    return "symmetric" if np.array_equal(matrix, matrix.T) else ""


def _batch_pattern(block: Block) -> str:
    """Tell whether each sample of a batch depends on itself alone."""
    if not (len(block.rows) > 1 and len(block.columns) > 1) or block.rows[0] != block.columns[0]:
        return ""
    batch = block.rows[0]
    parts = block.matrix.reshape(batch, -1, batch, math.prod(block.columns[1:]))
    off = ~np.eye(batch, dtype=bool)
    between = parts.transpose(0, 2, 1, 3)[off]
    return "block diagonal" if batch > 1 and not between.any() else ""


@dataclass(frozen=True, slots=True)
class Check:
    """How what was computed compares with another way to compute it.

    against     the other way; empty where there was none
    agrees      whether all differences are what rounding explains
    difference  the largest, relative to the largest value of its block
    place       where that is: the block and the element, in words
    skipped     why it was not checked, empty where it was
    """

    against: str = ""
    agrees: bool = True
    difference: float = 0.0
    place: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Everything that was computed of a function, and how.

    function  as the user calls it
    outputs   with their values
    draws     whether the function draws random numbers
    left_out  outputs that have no derivative, being integers
    """

    mode: Mode
    function: str
    inputs: Sequence[Variable]
    outputs: Sequence[Variable]
    blocks: Sequence[Block]
    forward: bool = False
    vectorize: bool = False
    check: Check = field(default_factory=Check)
    draws: bool = False
    left_out: Sequence[str] = ()

    @property
    def strategy(self) -> str:
        """The mode of differentiation, in a word."""
        return "forward" if self.forward else "reverse"
