"""Norms and movements against torch's own in double precision."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.training import norms as module
from autograd_inspect.training.norms import Weights, norms

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64)


def exact(tensor: torch.Tensor) -> float:
    wide = torch.complex128 if tensor.is_complex() else torch.float64
    return float(torch.linalg.vector_norm(tensor.to(wide)))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(DTYPES), st.lists(st.integers(0, 5), max_size=3), st.integers(0, 99)
        ),
        max_size=6,
    )
)
def test_norms_of_any_mixture_are_those_of_torch(kinds: list[tuple]) -> None:
    tensors = []
    for dtype, shape, seed in kinds:
        values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        tensors.append(values.to(dtype))
    found = norms([*tensors, None])
    assert found[-1] is None
    assert found[:-1] == pytest.approx([exact(tensor) for tensor in tensors], rel=1e-5)


def test_what_overflows_in_its_own_precision_is_measured_in_double() -> None:
    large = torch.full((4,), 3e38)
    assert norms([large]) == pytest.approx([6e38])
    assert norms([torch.full((100,), 60000.0, dtype=torch.float16)]) == pytest.approx([600000.0])


def test_nan_and_infinity_stay_what_they_are() -> None:
    nan, infinite = norms([torch.tensor([1.0, math.nan]), torch.tensor([math.inf])])
    assert nan is not None and math.isnan(nan)
    assert infinite == math.inf


def test_parts_of_a_sparse_gradient_are_added_up_first() -> None:
    places, values = [[0, 0, 2]], [3.0, 1.0, 3.0]
    sparse = torch.sparse_coo_tensor(places, values, (4,), check_invariants=True)
    assert norms([sparse, torch.ones(4)]) == pytest.approx([5.0, 2.0])


def test_what_has_no_elements_here_has_no_norm() -> None:
    assert norms([torch.ones(2, device="meta"), torch.ones(2, dtype=torch.int64)]) == [None, None]


def test_a_subclass_of_the_programs_is_not_asked() -> None:
    class Refusing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *_: object, **__: object) -> object:
            raise AssertionError("asked")

    with torch._C.DisableTorchFunction():
        assert norms([torch.ones(4).as_subclass(Refusing)]) == [2.0]


def test_a_movement_is_the_norm_of_the_difference() -> None:
    torch.manual_seed(0)
    weights = [torch.randn(3, 4), torch.randn(5, dtype=torch.float64), torch.zeros(2)]
    change = [torch.randn_like(one) for one in weights]
    watched = Weights(weights)
    watched.keep()
    expected = [exact(one) for one in weights]
    for one, by in zip(weights, change, strict=True):
        one.add_(by)
    before, update = watched.compare()
    assert before == pytest.approx(expected, rel=1e-6)
    assert update == pytest.approx([exact(by) for by in change], rel=1e-4)


def test_the_copies_are_written_over_and_not_made_anew() -> None:
    watched = Weights([torch.ones(3)])
    watched.keep()
    first = [one.data_ptr() for one in watched._kept]
    watched.compare()
    watched.keep()
    assert [one.data_ptr() for one in watched._kept] == first
    assert watched.compare() == ([pytest.approx(math.sqrt(3))], [0.0])


def test_a_weight_replaced_by_one_of_another_shape_is_not_compared() -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    watched = Weights([parameter])
    watched.keep()
    parameter.data = torch.ones(4)
    assert watched.compare() == ([None], [None])
    watched.keep()
    assert watched.compare() == ([2.0], [0.0])


def test_beyond_a_size_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COPIED", 1000)
    torch.manual_seed(0)
    weights = [torch.randn(100, 100)]
    watched = Weights(weights)
    assert watched.stride == 10
    watched.keep()
    assert sum(one.numel() for one in watched._kept) == 1000
    expected = exact(weights[0])
    weights[0].mul_(1.5)
    [before], [update] = watched.compare()
    assert before == pytest.approx(expected, rel=0.1)
    assert update == pytest.approx(expected / 2, rel=0.1)
