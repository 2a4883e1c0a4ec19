"""Right Functions pass; of each wrong one the input, the element and what is wrong are named."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from autograd_inspect.autograd.custom_checks import check_call
from autograd_inspect.autograd.randomness import RandomState
from autograd_inspect.autograd.rerunning import CustomCall
from autograd_inspect.model.gradcheck import Cause, Fault, FunctionCheck, InputCheck, Verdict


def point(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Give a tensor that requires grad, away from zero."""
    generator = torch.Generator().manual_seed(len(shape))
    values = torch.rand(shape, generator=generator, dtype=dtype)
    return (values + 0.5).requires_grad_()


def checked(
    function: type[Function],
    *arguments: Any,
    upstream: Any = None,
    second: bool = False,
    returned: Any = None,
) -> FunctionCheck:
    """Check a call with the gradient that came to it; by default one of halves."""
    learning = tuple(
        place
        for place, one in enumerate(arguments)
        if isinstance(one, torch.Tensor) and one.requires_grad
    )
    copies = tuple(
        one.detach().clone() if isinstance(one, torch.Tensor) else one for one in arguments
    )
    call = CustomCall(function, copies, {}, learning, RandomState.now())
    if upstream is None:
        output = function.apply(*arguments)  # type: ignore[no-untyped-call]
        outputs = output if isinstance(output, tuple) else (output,)
        upstream = [
            torch.full_like(one, 0.5) if torch.is_tensor(one) and one.is_floating_point() else None
            for one in outputs
        ]
    call.upstream, call.returned = upstream, returned
    return check_call(call, second=second)


def only(check: FunctionCheck) -> InputCheck:
    (one,) = check.inputs
    return one


# Right ones


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (out,) = ctx.saved_tensors
        return grad * out


class Affine(Function):
    """Two inputs, a number, a flag that gets no gradient, in the newer style."""

    @staticmethod
    def forward(x: torch.Tensor, w: torch.Tensor, power: int, *flags: bool) -> torch.Tensor:
        return (x @ w) ** power

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: torch.Tensor) -> None:
        x, w, ctx.power, *ctx.flags = inputs
        ctx.save_for_backward(x, w)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, w = ctx.saved_tensors
        inner = grad * ctx.power * (x @ w) ** (ctx.power - 1)
        return inner @ w.t(), x.t() @ inner, None, *(None for _ in ctx.flags)


class Halves(Function):
    """Two outputs, one of them without a gradient, differentiable once."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> Any:
        ctx.save_for_backward(x)
        order = x.argsort()
        ctx.mark_non_differentiable(order)
        return x.sin(), order

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor, _: Any) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grad * x.cos()


class InPlace(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.mark_dirty(x)
        return x.mul_(3)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return 3 * grad


class Turned(Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return z * z * (1 + 2j)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (z,) = ctx.saved_tensors
        return grad * (2 * z * (1 + 2j)).conj()


class Dropped(Function):
    """Draws random numbers."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.kept = torch.rand(x.shape) < 0.5
        return x * ctx.kept

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return grad * ctx.kept


class Single(Function):
    """Computes in single precision whatever it is given."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.float().sin().to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grad * x.cos()


class Constant(Function):
    """Uses only one of its inputs, and says so."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        return 2 * grad, None


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (Exp, (point(3, 2),)),
        (Exp, (point(40, 40),)),
        (Affine, (point(3, 2), point(2, 3), 2)),
        (Affine, (point(3, 2), torch.ones(2, 3), 2, True)),
        (Halves, (point(5),)),
        (InPlace, (point(4) * 1,)),
        (Dropped, (point(50),)),
        (Constant, (point(3), point(3))),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_right_backward_passes(function: type[Function], arguments: tuple[Any, ...]) -> None:
    check = checked(function, *arguments)
    assert [one.verdict for one in check.inputs] == [Verdict.OK] * len(check.inputs)
    assert (check.precision, check.faults, check.unchecked) == ("float64", (), "")
    assert not check.is_finding
    assert len(check.inputs) == sum(getattr(one, "requires_grad", False) for one in arguments)


def test_complex_derivatives_have_both_parts() -> None:
    z = torch.randn(3, dtype=torch.complex64, requires_grad=True)
    check = checked(Turned, z, upstream=[torch.tensor([1 + 1j, 2.0, -1j])])
    assert only(check).verdict is Verdict.OK
    assert only(check).worst is not None
    wrong = type("Wrong", (Turned,), {"backward": staticmethod(_unconjugated)})
    found = only(checked(wrong, z, upstream=[torch.tensor([1 + 1j, 2.0, -1j])]))
    assert found.verdict is Verdict.WRONG


def _unconjugated(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
    (z,) = ctx.saved_tensors
    return grad * 2 * z * (1 + 2j)


def test_the_figures_are_those_of_the_gradient_that_came() -> None:
    x, v = point(3), torch.tensor([0.0, 2.0, 0.0])
    worst = only(checked(Exp, x, upstream=[v])).worst
    assert worst is not None
    expected = (v.double() * x.detach().double().exp())[worst.index]
    assert worst.analytic == pytest.approx(expected.item(), rel=1e-12)
    assert worst.numeric == pytest.approx(expected.item(), rel=1e-6)


def test_single_precision_is_told_and_allowed_for() -> None:
    check = checked(Single, point(6))
    assert (check.precision, only(check).verdict) == ("float32", Verdict.OK)
    wrong = type("Wrong", (Single,), {"backward": staticmethod(lambda ctx, g: 1.2 * g)})
    assert checked(wrong, point(6)).is_finding


def test_a_backward_that_insists_on_the_programs_precision() -> None:
    class Insisting(Exp):
        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            (out,) = ctx.saved_tensors
            if grad.dtype is not torch.float32:
                raise TypeError("float32, please")
            return grad * out

    check = checked(Insisting, point(4), returned=[torch.ones(4)])
    assert (check.precision, only(check).verdict, check.unchecked) == ("float32", Verdict.OK, "")


# Wrong ones


def exp_with(backward: Any) -> type[Function]:
    return type("Mutant", (Exp,), {"backward": staticmethod(backward)})


def affine_with(backward: Any) -> type[Function]:
    return type("Mutant", (Affine,), {"backward": staticmethod(backward)})


def test_one_that_ignores_grad_output_is_named_although_ones_do_not_show_it() -> None:
    mutant = exp_with(lambda ctx, g: ctx.saved_tensors[0])
    found = only(checked(mutant, point(3)))
    assert (found.verdict, found.cause) == (Verdict.WRONG, Cause.IGNORES_GRAD_OUTPUT)
    assert found.cause.slug == "custom_backward_missing_factor"
    by_ones = only(checked(mutant, point(3), upstream=[torch.ones(3)]))
    assert (by_ones.verdict, by_ones.cause) == (Verdict.LATENT, Cause.IGNORES_GRAD_OUTPUT)
    assert by_ones.verdict.is_finding


@pytest.mark.parametrize(
    ("factor", "cause"), [(-1.0, Cause.SIGN), (2.0, Cause.FACTOR), (-0.25, Cause.FACTOR)]
)
def test_a_factor_is_given(factor: float, cause: Cause) -> None:
    found = only(checked(exp_with(lambda ctx, g: factor * g * ctx.saved_tensors[0]), point(4)))
    assert (found.verdict, found.cause) == (Verdict.WRONG, cause)
    assert found.factor == pytest.approx(factor, rel=1e-6)
    assert found.wrong == found.checked == 4


def test_no_gradient_where_there_should_be_one() -> None:
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        return Affine.backward(ctx, grad)[0], None, None

    x, w = checked(affine_with(backward), point(2, 3), point(3, 2), 2).inputs
    assert x.verdict is Verdict.OK
    assert (w.name, w.verdict, w.cause) == ("w", Verdict.WRONG, Cause.MISSING)


def test_swapped_gradients_are_told_from_wrong_ones() -> None:
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, w, *rest = Affine.backward(ctx, grad)
        return w, x, *rest

    x, w = checked(affine_with(backward), point(3, 3), 2 * point(3, 3).detach().t().contiguous()
                   .requires_grad_(), 2).inputs  # fmt: skip
    assert (x.cause, x.other) == (Cause.SWAPPED, "w")
    assert (w.cause, w.other) == (Cause.SWAPPED, "x")


def test_a_transposed_gradient() -> None:
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        x, w, *rest = Affine.backward(ctx, grad)
        return x, w.t(), *rest

    x, w = checked(affine_with(backward), point(3, 3), point(3, 3), 2).inputs
    assert x.verdict is Verdict.OK
    assert (w.verdict, w.cause) == (Verdict.WRONG, Cause.TRANSPOSED)


def test_a_gradient_for_an_input_that_is_not_used() -> None:
    mutant = type("Mutant", (Constant,), {"backward": staticmethod(lambda ctx, g: (2 * g, g))})
    x, y = checked(mutant, point(3), point(3)).inputs
    assert x.verdict is Verdict.OK
    assert (y.verdict, y.cause) == (Verdict.WRONG, Cause.UNUSED)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (60, 70)])
def test_the_one_wrong_element_is_found(shape: tuple[int, ...]) -> None:
    """In a large input, too, of which only some elements are looked at one by one."""
    wrong = tuple(size // 3 for size in shape)

    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        gradient = grad * ctx.saved_tensors[0]
        gradient[wrong] *= 0.9
        return gradient

    found = only(checked(exp_with(backward), point(*shape)))
    assert (found.verdict, found.wrong) == (Verdict.WRONG, 1)
    assert found.worst is not None
    assert found.worst.index == wrong
    assert abs(found.worst.analytic / found.worst.numeric) == pytest.approx(0.9, rel=1e-6)


def test_not_a_number_is_wrong() -> None:
    found = only(checked(exp_with(lambda ctx, g: g * float("nan")), point(2)))
    assert (found.verdict, found.cause) == (Verdict.WRONG, Cause.NOT_FINITE)


def test_writing_to_what_was_saved() -> None:
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (out,) = ctx.saved_tensors
        return out.data.mul_(grad)

    check = checked(exp_with(backward), point(3))
    assert only(check).verdict is Verdict.OK
    assert check.faults == ((Fault.MUTATES_SAVED, "the output"),)
    assert check.is_finding


def test_writing_to_a_buffer_of_its_own_is_a_remark_only() -> None:
    class Buffered(Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.buffer = x.exp()
            return x.exp()

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return ctx.buffer.mul_(grad)

    check = checked(Buffered, point(3))
    assert [fault for fault, _ in check.faults] == [Fault.MUTATES_BUFFER]
    assert not check.is_finding


def test_writing_to_grad_output() -> None:
    check = checked(exp_with(lambda ctx, g: g.mul_(ctx.saved_tensors[0])), point(3))
    assert Fault.MUTATES_GRAD_OUTPUT in {fault for fault, _ in check.faults}
    assert check.is_finding


def test_another_gradient_each_time() -> None:
    counts = iter(range(1, 100))
    check = checked(exp_with(lambda ctx, g: g * ctx.saved_tensors[0] * next(counts)), point(3))
    assert Fault.NOT_DETERMINISTIC in {fault for fault, _ in check.faults}


# Those that differ on purpose, or cannot be told


class Step(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return (x > 0.7).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return grad


class Reversed(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, by: float) -> torch.Tensor:
        ctx.by = by
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        return -ctx.by * grad, None


class Rectified(Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grad * (x > 0)


def test_a_straight_through_estimator_is_no_fault() -> None:
    check = checked(Step, point(30))
    assert only(check).verdict is Verdict.STRAIGHT_THROUGH
    assert not check.is_finding


def test_a_reversal_is_no_fault() -> None:
    check = checked(Reversed, point(4), 0.3)
    assert (only(check).verdict, check.is_finding) == (Verdict.BY_DESIGN, False)
    assert only(check).factor == pytest.approx(-0.3)


@pytest.mark.parametrize("values", [[0.5, 1.0, 2.0], [-0.5, -1.0, -2.0], [-1.0, 0.5, 3.0]])
def test_a_forgotten_mask_is_no_straight_through(values: list[float]) -> None:
    """Also where the point does not show it: all positive, the forward gives the input back."""
    mutant = type("Mutant", (Rectified,), {"backward": staticmethod(lambda ctx, g: g)})
    check = checked(mutant, torch.tensor(values, requires_grad=True))
    assert only(check).verdict is (Verdict.OK if min(values) > 0 else Verdict.WRONG)


def test_a_kink_is_told_and_no_fault() -> None:
    check = checked(Rectified, torch.tensor([-1.0, 0.0, 2.0], requires_grad=True))
    found = only(check)
    assert (found.verdict, found.kinks, check.is_finding) == (Verdict.KINK, 1, False)
    assert found.worst is not None
    assert found.worst.index == (1,)


def test_a_forward_of_its_own_mind_is_not_checked() -> None:
    counts = iter(range(1, 100))

    class Counting(Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * next(counts)

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return grad

    check = checked(Counting, point(3))
    assert "other results" in check.unchecked
    assert not check.is_finding


def test_a_forward_that_fails_is_told() -> None:
    class Failing(Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            raise ValueError("only once")

    check = checked(Failing, point(3), upstream=[torch.ones(3)])
    assert check.unchecked == "ValueError: only once"


def test_second_derivatives_are_asked_of_torch() -> None:
    assert checked(Exp, point(3), second=True).second == "passes"
    hidden = exp_with(lambda ctx, g: g * ctx.saved_tensors[0].detach())
    check = checked(hidden, point(3), second=True)
    assert check.second not in {"", "passes"}
    assert check.is_finding
    once = checked(Halves, point(3), second=True)
    assert "differentiate twice" in once.once
    assert not once.is_finding


def test_random_numbers_and_the_arguments_stay_as_they_are() -> None:
    x = point(5)
    before, value = torch.get_rng_state(), x.detach().clone()
    checked(Dropped, x)
    torch.manual_seed(3)
    first = torch.rand(2)
    torch.manual_seed(3)
    checked(Exp, x)
    assert torch.equal(torch.rand(2), first)
    assert torch.equal(x, value)
    assert before.shape == torch.get_rng_state().shape


coefficients = st.lists(
    st.floats(-3, 3).filter(lambda c: c == 0 or abs(c) > 0.1), min_size=1, max_size=4
)


@settings(max_examples=40, deadline=None)
@given(coefficients, st.floats(0.25, 1.5), st.sampled_from([0.5, -1.0, 1.01, 3.0]))
def test_any_polynomial(terms: list[float], start: float, factor: float) -> None:
    class Polynomial(Function):
        scale = 1.0

        @classmethod
        def slope(cls, x: torch.Tensor) -> torch.Tensor:
            powers = (n * c * x ** (n - 1) for n, c in enumerate(terms) if n)
            return sum(powers, torch.zeros_like(x)) * cls.scale

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return sum((c * x**n for n, c in enumerate(terms)), torch.zeros_like(x))

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors
            return grad * Polynomial.slope(x)

    x = torch.linspace(start, start + 1, 5).requires_grad_()
    expected = Polynomial.slope(x.detach().double()) * 0.5
    right = checked(Polynomial, x)
    found = only(right)
    assert found.verdict is Verdict.OK
    assert found.worst is not None
    assert found.worst.numeric == pytest.approx(expected[found.worst.index].item(), abs=1e-6)
    Polynomial.scale = factor
    wrong = only(checked(Polynomial, x))
    flat = expected.abs().max() < 1e-3
    if not flat:
        assert wrong.verdict is Verdict.WRONG or wrong.verdict is Verdict.BY_DESIGN
        assert wrong.factor == pytest.approx(factor, rel=1e-4)
