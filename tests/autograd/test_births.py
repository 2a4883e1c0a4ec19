from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from probing import probed

from autograd_inspect.analyses.nonfinite import first_nonfinite
from autograd_inspect.model.nonfinite import NonFinite

Tensor = torch.Tensor


def found_in(loss: Tensor) -> NonFinite:
    found = first_nonfinite(probed(loss)[1])
    assert found is not None
    return found


def leaf(*values: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def _masked_exp(x: Tensor) -> Tensor:
    return torch.where(x < 50, x.exp(), x)


def _root_of_norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x.view(1, 2), dim=1).sqrt()


#: What is computed of a leaf, its values, and what is to be found: operation, element, value of
#: the gradient there, and the saved value that explains it.
CASES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[float, ...], str, int, str, str]] = {
    "sqrt at zero": (torch.sqrt, (4.0, 0.0), "sqrt", 1, "inf", "result[1] = 0"),
    "log at zero": (torch.log, (0.0, 1.0), "log", 0, "inf", "self[0] = 0"),
    "mended log": (lambda x: x.log().nan_to_num(0), (2.0, 0.0), "log", 1, "nan", "self[1] = 0"),
    "reciprocal": (torch.reciprocal, (1.0, 0.0), "reciprocal", 1, "-inf", "result[1] = inf"),
    "fractional power": (lambda x: x**0.5, (0.0, 1.0), "pow", 0, "inf", "self[0] = 0"),
    "acos at one": (torch.acos, (0.0, 1.0), "acos", 1, "-inf", "self[1] = 1"),
    "atanh at one": (torch.atanh, (0.5, 1.0), "atanh", 1, "inf", "self[1] = 1"),
    "masked exp": (_masked_exp, (1.0, 90.0), "exp", 1, "nan", "result[1] = inf"),
    "one over zero": (lambda x: 1 / x, (0.0, 3.0), "reciprocal", 0, "-inf", "result[0] = inf"),
    "root of a norm": (_root_of_norm, (0.0, 0.0), "sqrt", 0, "inf", "result[0] = 0"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_operation_the_element_and_the_value_that_explains_it(name: str) -> None:
    compute, values, op, element, value, operand = CASES[name]
    found = found_in(compute(leaf(*values)).sum())
    assert found.node.title == op
    assert found.birth.index[-1] == element
    assert found.birth.value == value
    texts = [
        f"{o.name}[{', '.join(map(str, o.index))}] = {o.value}" for o in found.operands if o.index
    ]
    assert operand in texts


def test_the_first_in_the_order_of_backward_is_told() -> None:
    x = leaf(0.0, 1.0)
    found = found_in((x.log() + x.sqrt().log()).sum())
    turns = [found.node.graph.node(b.node).turn for b in found.node.graph.births]
    assert found.node.turn == min(turns)


def test_a_division_names_the_divisor_that_was_broadcast() -> None:
    x, scale = leaf(1.0, 2.0), leaf(0.0)
    found = found_in((x.view(2, 1) / scale).sum())
    assert found.node.title == "div"
    (other,) = [one for one in found.operands if one.name == "other"]
    assert (other.index, other.value) == ((0,), "0")


def test_repeated_eigenvalues_are_told_as_that() -> None:
    x = torch.eye(3, dtype=torch.float64).requires_grad_()
    vectors = torch.linalg.eigh(x * 2).eigenvectors
    found = found_in((vectors * torch.arange(9.0).view(3, 3)).sum())
    assert found.node.op.startswith("LinalgEigh")
    assert any("equal values" in one.remark for one in found.operands)


def test_where_the_forward_was_not_finite_already_its_operation_is_told() -> None:
    x = leaf(1.0, 0.0)
    divided = x / x  # 0 / 0
    found = found_in((divided + 1).exp().mul(2).sum())
    assert found.source is not None
    assert found.source.title == "div"
    assert found.node.title == "exp"


def test_a_mean_over_nothing_is_the_source() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    weight = leaf(0.5)
    nothing = torch.full((2,), -100)
    loss = torch.nn.functional.cross_entropy(logits, nothing) * weight.exp()
    found = found_in(loss.sum())
    assert found.source is not None
    assert found.source.title == "nll_loss"


def test_a_nan_that_a_mask_catches_is_nobodys_trouble() -> None:
    x = leaf(0.0, 1.0)
    root = x.sqrt()
    root.register_hook(lambda gradient: gradient)
    x_safe = x * 1
    inner = x_safe.sqrt()
    x_safe.register_hook(lambda gradient: gradient.nan_to_num(0, 0, 0))
    graph = probed(inner.sum())[1]
    assert graph.births
    # The edge itself carries it, and the hook on the tensor mends what arrives.
    reached = [
        e.gradient.is_finite for n in graph.nodes for e in n.edges if e.target and e.target.leaf
    ]
    assert reached == [True]
    assert first_nonfinite(graph) is None


def test_a_hook_of_the_program_that_makes_nan_is_not_blamed_on_the_node_behind_it() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    y.register_hook(lambda gradient: gradient * float("nan"))
    graph = probed((y * 2).sum())[1]
    assert graph.births == ()


def test_finite_gradients_have_no_birth() -> None:
    x = leaf(3.0, 4.0)
    assert first_nonfinite(probed((x.sqrt() / x.norm()).sum())[1]) is None


def test_a_root_that_starts_with_nan_is_no_birth() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    graph = probed(y, backward=lambda: y.backward(torch.tensor([float("nan"), 1.0])))[1]
    assert graph.births == ()


def test_an_overflow_in_half_precision_is_found() -> None:
    x = torch.tensor([200.0, 1.0], dtype=torch.float16, requires_grad=True)
    y = x * 300
    found = found_in((y * 1).sum() * 500)
    assert found.node.title in {"mul", "sum"}
    assert found.birth.value == "inf"


def test_packed_tensors_are_not_unpacked() -> None:
    unpacked: list[int] = []

    def unpack(tensor: Tensor) -> Tensor:
        unpacked.append(1)
        return tensor

    x = leaf(0.0, 1.0)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
        loss = x.sqrt().sum()
    found = found_in(loss)
    assert found.node.title == "sqrt"
    assert found.operands == ()
    assert len(unpacked) == 1  # by backward itself
