"""What the tutorial on the fundamentals of autograd says of torch.autograd.functional.

Each row of the table is an example of it, or one of the same kind, with what the tutorial states,
as a formula of the inputs; `agi functional` runs it as a user would. Numbers are those of torch's
own function for the same inputs bit by bit, and those of the formula.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from process import run_agi
from torch.autograd import functional

PROGRAM = """
import torch

def exp_adder(x, y):
    return 2 * x.exp() + 3 * y

def do_some_doubling(x):
    y = x * 2
    while y.data.norm() < 1000:
        y = y * 2
    return y

def total(x, y):
    return exp_adder(x, y).sum()

torch.manual_seed(1729)
single = (torch.rand(1), torch.rand(1))
inputs = (torch.rand(3), torch.rand(3))
values = torch.randn(3)
my_gradients = torch.tensor([0.1, 1.0, 0.0001])
"""

SPACE: dict[str, Any] = {}
exec(PROGRAM, SPACE)
SINGLE, INPUTS, VALUES = SPACE["single"], SPACE["inputs"], SPACE["values"]
MY_GRADIENTS, NO = SPACE["my_gradients"], torch.zeros(3, 3)
ADDER, DOUBLING, TOTAL = SPACE["exp_adder"], SPACE["do_some_doubling"], SPACE["total"]


def factor() -> float:
    """The power of two that doubling multiplies by until the norm reaches 1000."""
    doubled = 2.0
    while (VALUES * doubled).norm() < 1000:
        doubled *= 2
    return doubled


@dataclass(frozen=True)
class Example:
    """A command, torch's call for it, and what is stated of its result."""

    command: str
    torchs: Callable[[], Any]
    stated: Callable[[], list[torch.Tensor]]


EXAMPLES = {
    "jacobian of exp_adder, single elements": Example(
        "jacobian program.py:exp_adder --inputs single",
        lambda: functional.jacobian(ADDER, SINGLE),
        lambda: [2 * SINGLE[0].exp().reshape(1, 1), torch.tensor([[3.0]])],
    ),
    "jacobian of exp_adder, three elements": Example(
        "jacobian program.py:exp_adder --inputs inputs",
        lambda: functional.jacobian(ADDER, INPUTS),
        lambda: [(2 * INPUTS[0].exp()).diag(), 3 * torch.eye(3)],
    ),
    "in forward mode": Example(
        "jacobian program.py:exp_adder --inputs inputs --strategy forward",
        lambda: functional.jacobian(ADDER, INPUTS, strategy="forward-mode", vectorize=True),
        lambda: [(2 * INPUTS[0].exp()).diag(), 3 * torch.eye(3)],
    ),
    "vectorized": Example(
        "jacobian program.py:exp_adder --inputs inputs --vectorize",
        lambda: functional.jacobian(ADDER, INPUTS, vectorize=True),
        lambda: [(2 * INPUTS[0].exp()).diag(), 3 * torch.eye(3)],
    ),
    "vjp of do_some_doubling with my_gradients": Example(
        "vjp program.py:do_some_doubling --inputs values --v my_gradients",
        lambda: functional.vjp(DOUBLING, VALUES, v=MY_GRADIENTS)[1],
        lambda: [factor() * MY_GRADIENTS],
    ),
    "jvp of do_some_doubling": Example(
        "jvp program.py:do_some_doubling --inputs values --v my_gradients",
        lambda: functional.jvp(DOUBLING, VALUES, v=MY_GRADIENTS)[1],
        lambda: [factor() * MY_GRADIENTS],
    ),
    "jvp of exp_adder": Example(
        "jvp program.py:exp_adder --inputs inputs --v '(my_gradients, my_gradients)'",
        lambda: functional.jvp(ADDER, INPUTS, v=(MY_GRADIENTS, MY_GRADIENTS))[1],
        lambda: [2 * INPUTS[0].exp() * MY_GRADIENTS + 3 * MY_GRADIENTS],
    ),
    "hessian of the sum of exp_adder": Example(
        "hessian program.py:total --inputs inputs",
        lambda: functional.hessian(TOTAL, INPUTS),
        lambda: [(2 * INPUTS[0].exp()).diag(), NO, NO, NO],
    ),
    "hessian of exp_adder, single elements": Example(
        "hessian program.py:exp_adder --inputs single",
        lambda: functional.hessian(ADDER, SINGLE),
        lambda: [2 * SINGLE[0].exp().reshape(1, 1), *[torch.zeros(1, 1)] * 3],
    ),
    "vhp": Example(
        "vhp program.py:total --inputs inputs --v '(my_gradients, my_gradients)'",
        lambda: functional.vhp(TOTAL, INPUTS, v=(MY_GRADIENTS, MY_GRADIENTS))[1],
        lambda: [2 * INPUTS[0].exp() * MY_GRADIENTS, torch.zeros(3)],
    ),
    "hvp": Example(
        "hvp program.py:total --inputs inputs --v '(my_gradients, my_gradients)'",
        lambda: functional.hvp(TOTAL, INPUTS, v=(MY_GRADIENTS, MY_GRADIENTS))[1],
        lambda: [2 * INPUTS[0].exp() * MY_GRADIENTS, torch.zeros(3)],
    ),
}


def flat(nested: Any) -> list[torch.Tensor]:
    if isinstance(nested, torch.Tensor):
        return [nested]
    return [tensor for one in nested for tensor in flat(one)]


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_the_stated_value_is_the_one_obtained(example: Example, tmp_path: Path) -> None:
    import shlex

    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_agi("functional", *shlex.split(example.command), "--json", cwd=tmp_path)
    assert done.status == 0, done.err
    table = json.loads(done.out)
    obtained = [torch.tensor(row["values"]) for row in table["rows"]]
    by_torch = flat(example.torchs())
    assert [row["shape"] for row in table["rows"]] == [list(t.shape) for t in by_torch]
    assert all(map(torch.equal, obtained, by_torch))
    torch.testing.assert_close(obtained, example.stated(), rtol=1e-6, atol=0)
    assert table["check"]["agrees"]
    assert not table["check"]["skipped"]
