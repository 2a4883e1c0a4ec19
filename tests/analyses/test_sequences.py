"""Sequences are aligned as well as they can be: held against the textbook's algorithm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.analyses import sequences
from autograd_inspect.analyses.sequences import Keys, Pair, Stretch, align

WORDS = st.lists(st.integers(0, 3), max_size=14)


def longest(one: list[int], other: list[int]) -> int:
    """Count the items of a longest common subsequence, by the table of all beginnings."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, here in enumerate(one):
        for j, there in enumerate(other):
            near = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = max(near, table[i][j] + (here == there))
    return table[-1][-1]


def aligned(one: list[int], other: list[int]) -> list[Pair]:
    here, there = np.array(one, np.int64), np.array(other, np.int64)

    def score(stretch: Stretch) -> np.ndarray:
        rows = here[stretch.first : stretch.last]
        columns = there[stretch.start : stretch.stop]
        return (rows[:, None] == columns[None]).astype(np.int64)

    return align(Keys((here, there), (here, there), (here, there)), score)


def assert_in_order(pairs: list[Pair], one: list[int], other: list[int]) -> None:
    assert all(one[i] == other[j] for i, j in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))


@given(WORDS, WORDS)
def test_short_ones_have_as_many_pairs_as_there_can_be(one: list[int], other: list[int]) -> None:
    pairs = aligned(one, other)
    assert_in_order(pairs, one, other)
    assert len(pairs) == longest(one, other)


@given(WORDS, WORDS)
def test_long_ones_do_as_well(one: list[int], other: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_MOST_SCORED", 0)
        pairs = aligned(one, other)
    assert_in_order(pairs, one, other)
    assert len(pairs) == longest(one, other)


@given(WORDS, WORDS, st.integers(1, 4))
def test_without_patience_pairs_are_fewer_but_right(
    one: list[int], other: list[int], patience: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_MOST_SCORED", 0)
        patch.setattr(sequences, "_PATIENCE", patience)
        pairs = aligned(one, other)
    assert_in_order(pairs, one, other)
    if longest(one, other):
        assert pairs


def test_of_equally_good_pairs_the_first_are_taken() -> None:
    assert aligned([1, 2, 9, 1, 2, 8], [1, 2, 9, 1, 2, 1, 2, 8])[:5] == [(i, i) for i in range(5)]


def test_many_weak_signs_outweigh_a_strong_one() -> None:
    scores = np.array([[5, 3, 0], [0, 5, 3]])
    keys = Keys(*[(np.array([1, 2]), np.array([3, 4, 5]))] * 3)
    assert align(keys, lambda _: scores) == [(0, 0), (1, 1)]
    assert align(keys, lambda _: np.array([[3, 3, 0], [0, 1, 3]])) == [(0, 0), (1, 2)]
