"""Figures of gradients against torch and numpy, for every dtype and layout."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.autograd.gradients import Sighting, gradients_of, measure
from autograd_inspect.model.gradients import Reason

SHAPES = [(7,), (3, 4), (1,), ()]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_dense_figures_are_those_of_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    gradient = torch.randn(shape).to(dtype)
    found, exact = measure(gradient), gradient.double()
    assert found.count == gradient.numel()
    assert found.norm == pytest.approx(exact.norm().item(), rel=1e-14)
    assert found.mean == pytest.approx(exact.mean().item(), rel=1e-12)
    assert (found.min, found.max) == (gradient.min().item(), gradient.max().item())
    if gradient.numel() > 1:
        assert found.std == pytest.approx(exact.std().item(), rel=1e-12)
    else:
        assert math.isnan(found.std)


def test_half_precision_does_not_overflow() -> None:
    found = measure(torch.full((4,), 60000.0, dtype=torch.float16))
    assert found.norm == 2 * torch.tensor(60000.0).half().item()
    assert found.inf == 0


def test_complex_figures() -> None:
    gradient = torch.tensor([3 + 4j, 0, -1j], dtype=torch.complex64)
    found = measure(gradient)
    assert found.norm == pytest.approx(math.sqrt(26), rel=1e-6)
    assert complex(found.mean, found.mean_imag) == pytest.approx(1 + 1j)
    assert found.std == pytest.approx(np.std(gradient.numpy(), ddof=1), rel=1e-6)
    assert (found.min, found.max, found.zeros) == (0.0, 5.0, 1)


@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("coalesced", [True, False])
def test_sparse_figures_are_those_of_the_dense_tensor(coalesced: bool) -> None:
    gradient = torch.sparse_coo_tensor([[0, 0, 2]], torch.tensor([1.0, 2.0, -5.0]), (5,))
    gradient = gradient.coalesce() if coalesced else gradient
    found, dense = measure(gradient), measure(gradient.to_dense())
    assert found.histogram == dense.histogram
    for name in ("norm", "mean", "std", "min", "max", "zeros", "nan", "inf", "count"):
        assert getattr(found, name) == pytest.approx(getattr(dense, name)), name


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_compressed_sparse_figures() -> None:
    dense = torch.tensor([[0.0, 2.0], [0.0, -3.0]])
    assert measure(dense.to_sparse_csr()).norm == measure(dense).norm
    assert measure(dense.to_sparse_csr()).zeros == 2


def test_nan_and_infinity_are_counted_and_poison_the_figures() -> None:
    found = measure(torch.tensor([1.0, math.nan, math.inf, -math.inf, 0.0]))
    assert (found.nan, found.inf, found.zeros, found.count) == (1, 2, 1, 5)
    assert math.isnan(found.norm)
    assert sum(found.histogram) == 1


def test_an_empty_gradient() -> None:
    found = measure(torch.zeros(0, 3))
    assert (found.norm, found.count, found.zeros) == (0.0, 0, 0)


def test_the_histogram_counts_decades_of_the_absolute_value() -> None:
    found = measure(torch.tensor([1e-30, -2e-12, 0.5, -5.0, 7.0, 1e9, 0.0], dtype=torch.float64))
    counts = {decade: n for decade, n in zip(range(-12, 4), found.histogram, strict=True) if n}
    assert counts == {-12: 2, -1: 1, 0: 2, 3: 1}


def test_the_tensor_is_left_as_it_was() -> None:
    gradient = torch.randn(5, 5).t()
    copy, version = gradient.clone(), gradient._version
    measure(gradient)
    assert torch.equal(gradient, copy)
    assert gradient._version == version


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2))
@settings(max_examples=80, deadline=None)
def test_any_values(values: list[float]) -> None:
    gradient = torch.tensor(values, dtype=torch.float32)
    found, exact = measure(gradient), np.array(values, np.float64)
    assert found.norm == pytest.approx(np.linalg.norm(exact), rel=1e-9, abs=1e-300)
    assert found.mean == pytest.approx(exact.mean(), rel=1e-6, abs=np.abs(exact).max() * 1e-12)
    assert found.std == pytest.approx(exact.std(ddof=1), rel=1e-6, abs=np.abs(exact).max() * 1e-12)
    assert found.zeros == np.count_nonzero(exact == 0)


def test_rows_become_columns_and_read_back() -> None:
    tensor = torch.ones(2, dtype=torch.float64)
    table, unmeasured = gradients_of(
        [
            Sighting(
                "w", 3, tensor, torch.tensor([3.0, 4.0]).bfloat16(), Reason.ARRIVED, before=True
            ),
            Sighting("b", -1, torch.ones(1), None, Reason.NOT_REACHED),
        ]
    )
    one, other = table
    assert unmeasured == []
    assert (one.name, one.node, one.dtype, one.before, one.norm) == ("w", 3, "bfloat16", True, 5.0)
    assert one.spec and one.spec.dtype == "float64"
    assert (other.present, other.reason.text) == (False, "not reached from the root")
    assert math.isnan(other.norm)


def test_no_rows_at_all() -> None:
    table, unmeasured = gradients_of([])
    assert (len(table), unmeasured) == (0, [])


def test_one_gradient_that_cannot_be_measured_does_not_spoil_the_others() -> None:
    odd = torch.ones(2, device="meta")
    rows = [Sighting("odd", -1, odd, odd, Reason.ARRIVED)]
    rows.append(Sighting("w", -1, torch.ones(1), torch.ones(1), Reason.ARRIVED))
    table, unmeasured = gradients_of(rows)
    assert [math.isnan(row.norm) for row in table] == [True, False]
    assert len(unmeasured) == 1
    assert unmeasured[0].startswith("figures of the gradient of odd: ")
