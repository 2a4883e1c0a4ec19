"""Selecting gradients, and finding those that should fail a build."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from build import make_capture, make_gradients

from autograd_inspect.analyses.gradients import failures, select, totals
from autograd_inspect.analyses.words import CONDITIONS, SORT_KEYS
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason


def capture_with(names: str = "a b c d", **columns: list[float]) -> Capture:
    """Make a capture whose gradient table has these columns; reasons other than 0 mean no grad."""
    capture = make_capture()
    gradients = make_gradients(names.split())
    table = replace(
        gradients.table,
        **{
            name: np.array(values, getattr(gradients.table, name).dtype)
            for name, values in columns.items()
        },
    )
    absent = table.reason != Reason.ARRIVED
    table = replace(table, dtype=np.where(absent, -1, 0).astype(np.int32))
    return Capture(capture.graph, replace(gradients, table=table), capture.about)


def names(rows: object) -> str:
    return "".join(row.name for row in rows)  # type: ignore[attr-defined]


def test_the_captures_order_is_kept_without_a_key() -> None:
    assert names(select(capture_with())) == "abcd"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("norm", "bcad"), ("-norm", "bcad"), ("+norm", "dacb"), ("name", "abcd"), ("-name", "dcba")],
)
def test_sorts_by_a_key_either_way(sort: str, expected: str) -> None:
    assert names(select(capture_with(norm=[2, 4, 3, 1]), sort=sort)) == expected


@pytest.mark.parametrize("sort", ["norm", "+norm"])
def test_nan_and_missing_gradients_come_first(sort: str) -> None:
    capture = capture_with(
        norm=[5, math.nan, math.nan, 7],
        nan=[0, 0, 1, 0],
        reason=[0, Reason.NOT_REACHED, 0, 0],
    )
    assert names(select(capture, sort=sort))[:2] == "cb"


def test_a_deviation_that_cannot_be_known_is_not_alarming() -> None:
    assert names(select(capture_with(std=[1, math.nan, 2, 3]), sort="std")) == "dcab"


def test_top_takes_the_first_rows() -> None:
    assert names(select(capture_with(norm=[2, 4, 3, 1]), sort="norm", top=2)) == "bc"
    assert select(capture_with(), top=0) == []
    with pytest.raises(UsageError):
        select(capture_with(), top=-1)


@pytest.mark.parametrize("key", SORT_KEYS)
def test_every_key_sorts(key: str) -> None:
    assert len(select(capture_with(), sort=key)) == 4


def test_an_unknown_key_names_the_nearest_and_all() -> None:
    with pytest.raises(UsageError) as caught:
        select(capture_with(), sort="nrom")
    assert "nrom" in caught.value.message
    assert "did you mean norm" in caught.value.hint
    assert all(key in caught.value.hint for key in SORT_KEYS)


@pytest.mark.parametrize("sort", ["", "-", "++norm", "--norm"])
def test_signs_alone_are_no_key(sort: str) -> None:
    with pytest.raises(UsageError):
        select(capture_with(), sort=sort)


def test_failures_tell_the_conditions_apart() -> None:
    capture = capture_with(
        "a b c d e",
        nan=[1, 0, 0, 0, 0],
        inf=[1, 2, 0, 0, 0],
        zeros=[0, 0, 6, 0, 5],
        reason=[0, 0, 0, Reason.NOT_REACHED, 0],
    )
    found = [
        (failure.condition, failure.gradient.name) for failure in failures(capture, CONDITIONS)
    ]
    assert found == [("nan", "a"), ("inf", "a"), ("inf", "b"), ("none", "d"), ("zero", "c")]
    texts = list(map(str, failures(capture, ["nan", "none", "zero"])))
    assert texts == [
        "the gradient of a has 1 of 6 values NaN",
        "d has no gradient: not reached from the root",
        "the gradient of c is entirely zero",
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_only_a_gradient_that_should_be_there_is_missed(reason: Reason) -> None:
    capture = capture_with("a b c d", reason=[reason, 0, 0, 0])
    missed = bool(failures(capture, ["none"]))
    meant_to = {Reason.REQUIRES_NO_GRAD, Reason.NOT_A_LEAF, Reason.NOT_AMONG_INPUTS}
    assert missed == (reason not in {Reason.ARRIVED, *meant_to})


def test_an_empty_gradient_is_not_a_zero_one() -> None:
    assert not failures(capture_with("a b", count=[0, 6], zeros=[0, 0]), ["zero"])


def test_an_unknown_condition_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="zeros"):
        failures(capture_with(), ["nan", "zeros"])


def test_totals() -> None:
    capture = capture_with(
        norm=[3, 4, math.nan, 0],
        reason=[0, 0, Reason.NOT_REACHED, 0],
        zeros=[0, 0, 0, 6],
        before=[0, 1, 0, 0],
    )
    found = totals(list(capture.gradients))
    assert (found.tensors, found.present, found.absent) == (4, 3, 1)
    assert (found.nan, found.inf, found.zero, found.added) == (0, 0, 1, 1)
    assert found.norm == 5.0


def test_a_nan_anywhere_makes_the_total_nan() -> None:
    capture = capture_with(norm=[3, math.nan, 1, 1], nan=[0, 1, 0, 0])
    assert math.isnan(totals(list(capture.gradients)).norm)
