from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from autograd_inspect.recording.sites import NOWHERE, OUTSIDE
from autograd_inspect.recording.values import Born, Values


def born(op: str) -> Born:
    return Born(op, (NOWHERE, OUTSIDE))


def address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def test_what_is_not_finite_is_remembered_with_the_operation_it_came_from_first() -> None:
    values = Values()
    x = torch.tensor([0.0, 1.0])
    logs = x.log()
    values.note([logs], [x], lambda: born("log"))
    shifted = logs + 1
    values.note([shifted], [logs], lambda: born("add"))
    first = values.born[address(logs)]
    assert (first.op, first.value, first.given[0].value) == ("log", "-inf", "0")
    assert values.born == {address(logs): first, address(shifted): first}


def test_what_makes_nan_of_infinite_values_is_another_origin() -> None:
    values = Values()
    masked = torch.full((2, 3), -torch.inf)
    values.note([masked], [], lambda: born("masked_fill"))
    weights = masked.softmax(-1)
    values.note([weights], [masked], lambda: born("softmax"))
    made = values.born[address(weights)]
    assert (made.op, made.value) == ("softmax", "nan")
    assert made.cause == values.born[address(masked)] == made.first


def test_finite_values_forget_what_was_at_their_place() -> None:
    values = Values()
    x = torch.tensor([0.0, 1.0]).log()
    values.note([x], [], lambda: born("log"))
    x.nan_to_num_(0, 0, 0)
    values.note([x], [x], lambda: born("nan_to_num_"))
    assert values.born == {}


def test_a_sum_that_overflows_is_no_infinity() -> None:
    values = Values()
    values.note([torch.full((9,), 3e38)], [], lambda: born("full"))
    values.note([torch.full((9,), 60000.0, dtype=torch.float16)], [], lambda: born("full"))
    assert values.born == {}


def test_integers_views_and_foreign_classes_are_not_looked_at() -> None:
    class Curious(torch.Tensor):
        asked = 0

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.asked += 1
            return super().__torch_function__(func, types, args, kwargs or {})

    strange = torch.tensor([float("nan")]).as_subclass(Curious)
    base = torch.tensor([[float("nan")]])
    view = base.view(1)
    before = Curious.asked
    values = Values()
    values.note([strange, view, torch.tensor([1])], [base], lambda: born("mix"))
    assert values.born == {}
    assert Curious.asked == before


def test_a_dispatch_mode_of_the_program_sees_nothing_of_it() -> None:
    class Counting(TorchDispatchMode):
        seen = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            Counting.seen += 1
            return func(*args, **(kwargs or {}))

    x = torch.tensor([float("inf")])
    with Counting():
        Values().note([x], [], lambda: born("inf"))
    assert Counting.seen == 0
