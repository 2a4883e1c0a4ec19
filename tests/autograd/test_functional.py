"""Derivatives of functions: the very numbers of torch.autograd.functional, and of analysis."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import functional as truth

from autograd_inspect.autograd._torch import load_forward_formulas
from autograd_inspect.autograd.agreement import directions, units
from autograd_inspect.errors import FunctionError, UsageError
from autograd_inspect.model.derivatives import Derivatives, Mode
from autograd_inspect.tracing.derivatives import Wish, derive
from autograd_inspect.tracing.function import application_at_end

Call = Callable[..., Any]


def derivatives(
    mode: str, function: Call, inputs: Any, v: Any = None, wrt: Any = (), **how: Any
) -> Derivatives:
    """Derive as the command does, from a program with these variables."""
    main = types.ModuleType("__main__")
    vars(main).update(f=function, inputs=inputs, v=v)
    application = application_at_end("f", "inputs", main)
    wish = Wish(Mode(mode), "v" if v is not None else "", wrt, **how)
    return derive(application, wish, main)


def values(found: Derivatives) -> list[torch.Tensor]:
    return [torch.from_numpy(block.values) for block in found.blocks]


def flat(nested: Any) -> list[torch.Tensor]:
    if isinstance(nested, torch.Tensor):
        return [nested]
    return [tensor for one in nested for tensor in flat(one)]


def assert_same(found: Derivatives, expected: Any) -> None:
    """Compare bit by bit, signs of zeros and NaN included."""
    mine, theirs = values(found), flat(expected)
    assert [t.shape for t in mine] == [t.shape for t in theirs]
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(torch.signbit(a), torch.signbit(b))
        assert torch.equal(a.nan_to_num(7.5), b.nan_to_num(7.5))


@pytest.fixture(autouse=True, scope="module")
def _forward_mode() -> None:
    """Torch warns when it first needs its formulas, which is not what is tested here."""
    load_forward_formulas()


def doubling(x):
    y = x * 2
    while y.data.norm() < 1000:
        y = y * 2
    return y


torch.manual_seed(3)
X, Y, A = torch.rand(3), torch.rand(3), torch.randn(4, 3)

ZOO: dict[str, tuple[Call, tuple[torch.Tensor, ...]]] = {
    "exp_adder": (lambda x, y: 2 * x.exp() + 3 * y, (X, Y)),
    "doubling": (doubling, (X,)),
    "one": (lambda x: x.sin(), (X[:1],)),
    "scalar in": (lambda s: torch.stack([s.sin(), s.exp()]), (torch.tensor(0.3),)),
    "scalar out": (lambda x, y: (x * y).sum(), (X, Y)),
    "tuple out": (lambda a, x: (a @ x, (a * x).sum(0)), (A, X)),
    "unused": (lambda x, y: x.cos() + 0 * x, (X, Y)),
    "constant": (lambda x: torch.ones(2), (X,)),
    "softmax": (lambda a: a.softmax(-1), (A,)),
    "double": (lambda x: torch.outer(x, x), (X.double(),)),
    "half": (lambda x: x * x, (X.half(),)),
    "infinite": (lambda x: (x - x).sqrt() / (x - x), (X,)),
    "conv": (lambda x: torch.conv1d(x, torch.ones(2, 1, 2)), (torch.randn(1, 1, 5),)),
}
SCALARS: dict[str, tuple[Call, tuple[torch.Tensor, ...]]] = {
    "cubes": (lambda x: x.pow(3).sum(), (X,)),
    "coupled": (lambda x, y: (x.square() * y).sum() + y.exp().prod(), (X, Y)),
    "quadratic": (lambda a, x: (a @ x).square().sum().reshape(1), (A, X)),
    "linear": (lambda x: (2 * x).sum(), (X,)),
    "scalar": (lambda s: s**3, (torch.tensor(2.0),)),
}
zoo = pytest.mark.parametrize(("f", "inputs"), ZOO.values(), ids=ZOO)
scalars = pytest.mark.parametrize(("f", "inputs"), SCALARS.values(), ids=SCALARS)
ways = pytest.mark.parametrize("forward", [False, True], ids=["reverse", "forward"])


@zoo
@pytest.mark.parametrize("vectorize", [False, True], ids=["rows", "vectorized"])
def test_a_jacobian_is_torchs_bit_by_bit(f: Call, inputs: Any, vectorize: bool) -> None:
    found = derivatives("jacobian", f, inputs, vectorize=vectorize)
    assert_same(found, truth.jacobian(f, inputs, vectorize=vectorize))


@zoo
def test_so_it_is_in_forward_mode(f: Call, inputs: Any) -> None:
    expected = truth.jacobian(f, inputs, vectorize=True, strategy="forward-mode")
    assert_same(derivatives("jacobian", f, inputs, forward=True), expected)


@zoo
def test_a_vector_from_the_left(f: Call, inputs: Any) -> None:
    v = tuple(directions(tuple(flat(f(*inputs)))))
    expected = truth.vjp(f, inputs, v if len(v) > 1 else v[0])
    found = derivatives("vjp", f, inputs, v)
    assert_same(found, expected[1])
    for output, value in zip(found.outputs, flat(expected[0]), strict=True):
        assert torch.equal(torch.from_numpy(output.values).nan_to_num(7.5), value.nan_to_num(7.5))


@zoo
def test_a_vector_from_the_right(f: Call, inputs: Any) -> None:
    v = directions(inputs)
    assert_same(derivatives("jvp", f, inputs, v), truth.jvp(f, inputs, v)[1])


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"constant"}))
def test_a_vector_from_the_right_in_forward_mode(name: str) -> None:
    f, inputs = ZOO[name]
    v = directions(inputs)
    expected = torch.func.jvp(f, inputs, v)[1]
    assert_same(derivatives("jvp", f, inputs, v, forward=True), expected)


@scalars
@pytest.mark.parametrize("vectorize", [False, True], ids=["rows", "vectorized"])
def test_a_hessian_is_torchs_bit_by_bit(f: Call, inputs: Any, vectorize: bool) -> None:
    found = derivatives("hessian", f, inputs, vectorize=vectorize)
    assert_same(found, truth.hessian(f, inputs, vectorize=vectorize))
    assert found.check.agrees
    assert found.check.against == "forward over reverse"


@scalars
def test_so_it_is_forward_over_reverse(f: Call, inputs: Any) -> None:
    expected = truth.hessian(f, inputs, vectorize=True, outer_jacobian_strategy="forward-mode")
    assert_same(derivatives("hessian", f, inputs, forward=True), expected)


@scalars
@pytest.mark.parametrize("mode", ["vhp", "hvp"])
def test_products_with_a_hessian_are_torchs(f: Call, inputs: Any, mode: str) -> None:
    v = directions(inputs)
    found = derivatives(mode, f, inputs, v)
    assert_same(found, getattr(truth, mode)(f, inputs, v)[1])
    assert (found.check.against, found.check.agrees) == ({"vhp": "hvp", "hvp": "vhp"}[mode], True)


@scalars
def test_forward_over_reverse_multiplies_as_the_whole_hessian_does(f: Call, inputs: Any) -> None:
    v = directions(inputs)
    found = values(derivatives("hvp", f, inputs, v, forward=True))
    rows = truth.hessian(f, inputs)
    for mine, row in zip(found, rows, strict=True):
        whole = sum(torch.tensordot(h, one, one.ndim) for h, one in zip(row, v, strict=True))
        torch.testing.assert_close(mine, whole)


def test_exp_adder_has_twice_the_exponentials_and_threes() -> None:
    by_x, by_y = derivatives("jacobian", ZOO["exp_adder"][0], (X, Y)).blocks
    assert torch.equal(torch.from_numpy(by_x.values), (2 * X.exp()).diag())
    assert torch.equal(torch.from_numpy(by_y.values), 3 * torch.eye(3))
    assert (by_x.pattern, by_y.pattern) == ("diagonal", "scaled identity")


coefficients = st.lists(st.integers(-5, 5), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(coefficients, st.lists(st.integers(-3, 3), min_size=1, max_size=4))
def test_polynomials_have_the_derivatives_of_school(powers: list[int], at: list[int]) -> None:
    def f(x):
        return sum((c * x**n for n, c in enumerate(powers)), start=torch.zeros_like(x))

    x = torch.tensor(at, dtype=torch.float64)
    first = sum((c * n * x ** max(n - 1, 0) for n, c in enumerate(powers)), torch.zeros_like(x))
    second = sum(
        (c * n * (n - 1) * x ** max(n - 2, 0) for n, c in enumerate(powers)), torch.zeros_like(x)
    )
    for forward in (False, True):
        (jacobian,) = values(derivatives("jacobian", f, x, forward=forward))
        assert torch.equal(jacobian, first.diag())
        (hessian,) = values(derivatives("hessian", lambda x: f(x).sum(), x, forward=forward))
        assert torch.equal(hessian, second.diag())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**31))
def test_products_are_those_with_the_jacobian(rows: int, columns: int, seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    a, x, u, v = (
        torch.randn(*shape, generator=source, dtype=torch.float64)
        for shape in [(rows, columns), (columns,), (rows,), (columns,)]
    )

    def f(x):
        return (a @ x).tanh() * x.sum()

    (jacobian,) = values(derivatives("jacobian", f, x))
    for forward in (False, True):
        torch.testing.assert_close(
            values(derivatives("jvp", f, x, v, forward=forward))[0], jacobian @ v
        )
    torch.testing.assert_close(values(derivatives("vjp", f, x, u))[0], u @ jacobian)


def test_parameters_of_a_module_by_name() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    found = derivatives("jacobian", net, A, wrt=["0.weight", "input", "0.bias"])
    assert [block.column for block in found.blocks] == ["f.0.weight", "input", "f.0.bias"]

    def call(weight, x, bias):
        return (x @ weight.t() + bias).tanh()

    expected = truth.jacobian(call, (net[0].weight, A, net[0].bias))
    for mine, other in zip(values(found), expected, strict=True):
        torch.testing.assert_close(mine, other.detach())
    assert found.blocks[1].pattern == "block diagonal"
    assert all(parameter.grad is None for parameter in net.parameters())


def test_the_programs_tensors_stay_as_they_are() -> None:
    x = torch.rand(3, requires_grad=True)
    weight = torch.rand(3, requires_grad=True)
    before = x.detach().clone()
    derivatives("jacobian", lambda x: x * weight, x)
    derivatives("hvp", lambda x: (x.exp() * weight).sum(), x, torch.ones(3))
    assert x.grad is None
    assert weight.grad is None
    assert x.requires_grad
    assert torch.equal(x, before)


def test_random_numbers_are_the_same_at_each_call_and_go_on_as_before() -> None:
    import random

    def noisy(x):
        return x * torch.rand(3) * random.random()

    torch.manual_seed(0)
    random.seed(0)
    state = torch.get_rng_state(), random.getstate()
    expected = truth.jacobian(noisy, X)
    torch.set_rng_state(state[0])
    random.setstate(state[1])
    found = derivatives("jacobian", noisy, X)
    assert_same(found, expected)
    assert found.draws
    assert found.check.agrees
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]
    assert_same(derivatives("jacobian", noisy, X, forward=True), expected)


def test_nothing_has_derivatives_of_nothing() -> None:
    none = torch.rand(0)
    found = derivatives("jacobian", lambda x, y: (x * 2, y * x.sum()), (none, X))
    assert [block.values.shape for block in found.blocks] == [(0, 0), (0, 3), (3, 0), (3, 3)]
    assert found.blocks[3].pattern == "zero"
    assert derivatives("jacobian", lambda x: x[:0], X).blocks[0].values.shape == (0, 3)


def test_what_is_not_reached_is_told_from_what_is_zero() -> None:
    found = derivatives("jacobian", lambda x, y: x.detach() * y + 0 * x, (X, Y))
    assert [block.unreached for block in found.blocks] == [False, False]
    found = derivatives("jacobian", lambda x, y: x.detach() * y, (X, Y))
    assert [block.unreached for block in found.blocks] == [True, False]


class Halved(torch.autograd.Function):
    """x squared, with a backward that forgot the 2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0]

    @staticmethod
    def jvp(ctx, tangent):
        return 2 * tangent * ctx.saved_tensors[0]


@pytest.mark.parametrize("mode", ["jacobian", "vjp", "jvp"])
def test_a_wrong_backward_disagrees_with_forward_mode(mode: str) -> None:
    v = None if mode == "jacobian" else torch.ones(3)
    x = torch.tensor([1.0, 2.0, 3.0])
    check = derivatives(mode, Halved.apply, x, v).check
    assert check.against == "forward mode"
    assert not check.agrees
    assert check.difference == pytest.approx(0.5)
    element = "[2, 2]" if mode == "jacobian" else "[2]"
    assert f"at {element}: 3.0 here, 6.0 there" in check.place


def test_a_wrong_backward_of_many_elements_disagrees_along_a_direction() -> None:
    x = torch.linspace(1, 2, 200)
    for mode, v in (("jacobian", None), ("vjp", torch.ones(200))):
        check = derivatives(mode, Halved.apply, x, v).check
        assert check.against == "forward mode along one direction"
        assert not check.agrees
        assert derivatives(mode, torch.square, x, v).check.agrees


class Lopsided(torch.autograd.Function):
    """a times b, with a backward that doubles the half of b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, gradient):
        a, b = ctx.saved_tensors
        return gradient * b, gradient * 2 * a


@pytest.mark.parametrize("mode", ["hvp", "vhp"])
def test_a_hessian_that_is_not_symmetric_disagrees(mode: str) -> None:
    found = derivatives(mode, lambda x: Lopsided.apply(x[0], x[1]), X, torch.ones(3))
    assert not found.check.agrees
    assert derivatives(mode, lambda x: x[0] * x[1], X, torch.ones(3)).check.agrees


def test_where_forward_mode_fails_it_says_so() -> None:
    class OneWay(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    check = derivatives("jacobian", OneWay.apply, X).check
    assert check.agrees
    assert check.against == ""
    assert check.skipped.startswith("the other way failed: ")


def test_complex_numbers_are_torchs() -> None:
    z = torch.tensor([1 + 2j, 3 - 1j])
    assert torch.equal(
        values(derivatives("jvp", torch.sin, z, z))[0], truth.jvp(torch.sin, z, z)[1]
    )
    vectorized = derivatives("jacobian", torch.sin, z, vectorize=True)
    assert torch.equal(values(vectorized)[0], truth.jacobian(torch.sin, z, vectorize=True))
    with pytest.raises(UsageError, match="none of a complex result") as caught:
        derivatives("jacobian", torch.sin, z)
    assert "--vectorize" in caught.value.hint


def test_bfloat16_keeps_its_values() -> None:
    (block,) = derivatives("jacobian", torch.sin, X.bfloat16()).blocks
    assert block.dtype == "bfloat16"
    assert torch.equal(
        torch.from_numpy(block.values), truth.jacobian(torch.sin, X.bfloat16()).float()
    )


@pytest.mark.parametrize(
    ("mode", "f", "v", "how", "said"),
    [
        ("hessian", torch.sin, None, {}, r"hessian needs a scalar, and f gives \[3\]"),
        ("hvp", torch.sin, X, {}, "hvp needs a scalar"),
        ("vjp", torch.sin, None, {}, r"vjp needs --v: f gives \[3\]"),
        ("jvp", torch.sin, None, {}, r"jvp needs --v: f takes \[3\]"),
        ("vjp", torch.sin, X[:2], {}, r"--v is float32 \[2\], and f is float32 \[3\]"),
        ("vjp", torch.sin, X.double(), {}, "--v is float64"),
        ("vjp", torch.sin, (X, X), {}, "--v: 2 given, and f gives 1: f"),
        ("vjp", torch.sin, X, {"forward": True}, "reverse mode by its nature"),
        ("jvp", torch.sin, X, {"vectorize": True}, "nothing to vectorise"),
        ("jacobian", lambda x: None, None, {}, "f gives no tensor"),
        ("jacobian", lambda x: x.argmax(), None, {}, r"f gives f torch\.int64"),
        ("jacobian", lambda x: x[0].expand(2**60), None, {}, "GiB"),
    ],
)
def test_what_cannot_be_is_said(mode: str, f: Call, v: Any, how: Any, said: str) -> None:
    with pytest.raises((UsageError, FunctionError), match=said):
        derivatives(mode, f, X, v, **how)


def test_what_torch_cannot_differentiate_is_said_with_its_own_words() -> None:
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise KeyError("boom")

    with pytest.raises(FunctionError, match="the jacobian of f: KeyError: 'boom'") as caught:
        derivatives("jacobian", Fails.apply, X)
    assert isinstance(caught.value.__cause__, KeyError)


def test_too_large_a_matrix_is_refused_before_it_is_made() -> None:
    with pytest.raises(UsageError, match=r"2,000,000 x 2,000,000: 14,901\.2 GiB") as caught:
        derivatives("jacobian", torch.sin, torch.zeros(2_000_000))
    assert "vjp" in caught.value.hint


def test_integers_among_the_results_are_left_out() -> None:
    found = derivatives("jacobian", lambda x: {"y": 2 * x, "at": x.argmax()}, X)
    assert [output.name for output in found.outputs] == ["f['y']"]
    assert found.left_out == ["f['at']"]


def test_unit_vectors_are_all_there() -> None:
    given = list(units((torch.zeros(2), torch.zeros(1, 2))))
    stacked = torch.stack([torch.cat([one.reshape(-1) for one in unit]) for unit in given])
    assert torch.equal(stacked, torch.eye(4))
