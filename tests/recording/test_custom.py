"""The calls of custom Functions are kept with their nodes, and with them they go."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch.autograd import Function

from autograd_inspect.autograd.walker import walk
from autograd_inspect.recording.creation import Creation
from autograd_inspect.recording.custom import CustomCalls
from autograd_inspect.recording.sites import spot_of


class Scaled(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, by: float, parts: Any = ()) -> torch.Tensor:
        ctx.by = by
        return x * by

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        return grad * ctx.by, None, None


class Vectorised(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return x * x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * grad


class Watching:
    """Notes calls while it is entered."""

    def __init__(self, room: int = 2**20) -> None:
        self.calls = CustomCalls(spot_of, room)
        self._creation = Creation(self.calls.mark)

    def __enter__(self) -> CustomCalls:
        self._creation.start()
        return self.calls

    def __exit__(self, *_: object) -> None:
        self._creation.stop()
        assert self._creation.trouble is None
        assert self.calls.trouble is None


def test_a_call_is_kept_as_it_was_when_it_was_made() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    beside = torch.ones(2)
    with Watching() as calls:
        y = Scaled.apply(x, 3.0, [beside])  # type: ignore[no-untyped-call]
        x.data.zero_()
        beside.zero_()
        loss = (y * torch.tensor([5.0, 7.0])).sum()
        calls.follow(walk([loss]))
        loss.backward()
    (call,) = calls.found
    assert (call.function, call.learning, call.twice) == (Scaled, (0,), False)
    assert call.arguments[0].tolist() == [1.0, 2.0]
    assert call.arguments[1] == 3.0
    assert call.arguments[2][0].tolist() == [1.0, 1.0]
    assert call.upstream is not None
    assert [v.tolist() for v in call.upstream if v is not None] == [[5.0, 7.0]]
    gradients = call.gradients()
    assert gradients is not None
    assert [g.tolist() for g in gradients if g is not None] == [[15.0, 21.0]]
    assert call.parameter_names == ["x", "by", "parts"]


def test_nothing_is_kept_where_no_gradient_comes() -> None:
    x = torch.ones(2, requires_grad=True)
    with Watching() as calls:
        with torch.no_grad():
            Scaled.apply(x, 3.0)  # type: ignore[no-untyped-call]
        y = Scaled.apply(x.detach(), 3.0)  # type: ignore[no-untyped-call]
        calls.follow(walk([(x * y).sum()]))
    assert (calls.found, calls.dropped) == ([], 0)


def test_what_is_kept_goes_with_the_node_and_room_is_bounded() -> None:
    x = torch.ones(1000, requires_grad=True)  # 4000 bytes, kept once for its AccumulateGrad, too
    with Watching(room=10_000) as calls:
        y = Scaled.apply(x, 3.0)  # type: ignore[no-untyped-call]
        z = Scaled.apply(y, 3.0)  # type: ignore[no-untyped-call]
        calls.follow(walk([z.sum()]))
        assert (len(calls.found), calls.dropped) == (1, 1)
        gone = weakref.ref(calls.found[0].arguments[0])
        calls.found.clear()
        del y, z
        gc.collect()
        assert gone() is None
        again = Scaled.apply(x, 3.0)  # type: ignore[no-untyped-call]
        calls.follow(walk([again.sum()]))
        assert (len(calls.found), calls.dropped) == (1, 0)


def test_a_backward_that_makes_a_graph_is_told() -> None:
    x = torch.ones(2, requires_grad=True)
    with Watching() as calls:
        loss = Scaled.apply(x, 3.0).sum()  # type: ignore[no-untyped-call]
        calls.follow(walk([loss]))
        torch.autograd.grad(loss, x, create_graph=True)
    assert [call.twice for call in calls.found] == [True]


def test_transforms_are_left_alone() -> None:
    x = torch.rand(3, 2, requires_grad=True)
    square: Any = Vectorised.apply
    plain = torch.vmap(square)(x)
    slope = torch.func.grad(lambda t: square(t).sum())(x.detach())
    with Watching() as calls:
        watched = torch.vmap(square)(x)
        assert torch.equal(watched, plain)
        assert torch.equal(torch.func.grad(lambda t: square(t).sum())(x.detach()), slope)
        calls.follow(walk([watched.sum()]))
        watched.sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, 2 * x.detach())


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints_are_left_alone(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    x = torch.rand(3, requires_grad=True)

    def block(t: torch.Tensor) -> torch.Tensor:
        return Scaled.apply(t.sin(), 2.0)  # type: ignore[no-untyped-call, no-any-return]

    with Watching() as calls:
        loss = checkpoint(block, x, use_reentrant=reentrant).sum()
        calls.follow(walk([loss]))
        loss.backward()
    assert x.grad is not None
    assert torch.equal(x.grad, 2 * x.detach().cos())
    assert [call.function for call in calls.found] == ([] if reentrant else [Scaled])
