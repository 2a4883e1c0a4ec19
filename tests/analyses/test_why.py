"""Why a tensor has the gradient it has: held against what torch leaves in `.grad`."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from process import run_agi

from autograd_inspect import load
from autograd_inspect.analyses.why import explain
from autograd_inspect.model.gradients import Holding
from autograd_inspect.renderers.why import to_json

PROGRAM = dedent(
    """
    import torch

    kept = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
    cut = torch.nn.Parameter(torch.ones(2))
    unused = torch.nn.Parameter(torch.ones(2))
    frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    dead = torch.nn.Parameter(-torch.ones(2))
    odd = torch.nn.Parameter(torch.zeros(2))
    tiny = torch.nn.Parameter(torch.full((2,), 8.0))
    terms = [
        kept * 4,
        kept * cut.detach(),
        frozen,
        torch.relu(dead),
        odd.sqrt() * 0,
        torch.sigmoid(tiny * 1.0),
    ]
    loss = sum(term.sum() for term in terms)
    optimizer = torch.optim.SGD([kept, cut, dead], 0.1)
    loss.backward()
    """
)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    done = run_agi("trace", "--watch", "-o", "x.agi", "program.py", cwd=folder)
    assert done.status == 0, done.err
    return folder / "x.agi"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("kept", "arrived"),
        ("cut", "cut"),
        ("unused", "unused"),
        ("frozen", "requires no grad"),
        ("dead", "zero"),
        ("odd", "nonfinite"),
        ("tiny", "arrived"),
    ],
)
def test_each_gradient_is_explained(capture: Path, name: str, verdict: str) -> None:
    why = explain(load(capture), name)
    assert why.verdict.value == verdict
    if name == "cut":
        assert [cut.op for cut in why.cuts] == ["Tensor.detach"]
    if name == "dead":
        assert why.dies is not None
        assert why.dies.title == "relu"
    if name == "odd":
        assert why.birth is not None
        assert why.birth.node.title == "sqrt"
    if name == "tiny":
        assert why.shrinks is not None
        assert why.shrinks[0].title == "sigmoid"


@pytest.mark.parametrize(("name", "holding"), [("kept", Holding.HELD), ("tiny", Holding.NOT_HELD)])
def test_what_no_optimizer_holds_is_said_to_stay(
    capture: Path, name: str, holding: Holding
) -> None:
    why = explain(load(capture), name)
    assert why.gradient is not None
    assert why.gradient.holding is holding
    assert any("in no optimizer" in line for line in why.why) is (holding is Holding.NOT_HELD)


def test_without_an_optimizer_nothing_is_said_of_any(tmp_path: Path) -> None:
    program = "import torch\nw = torch.ones(2, requires_grad=True)\n(w * 2).sum().backward()\n"
    (tmp_path / "program.py").write_text(program, "utf-8")
    done = run_agi("why", "w", "program.py", cwd=tmp_path)
    assert done.status == 0, done.err
    assert "optimizer" not in done.out


def test_the_answer_as_json(capture: Path) -> None:
    told = json.loads(to_json(explain(load(capture), "kept")))
    assert told["schema"] == "agi.why/1"
    assert told["gradient"]["norm"] == pytest.approx((2 * 5**2) ** 0.5)
    assert told["steps"][0]["title"] == "AccumulateGrad"


def test_on_a_terminal_the_way_follows(capture: Path) -> None:
    done = run_agi("why", "dead", str(capture), "--width", "90", cwd=capture.parent)
    assert done.status == 0, done.err
    assert done.out.startswith("dead has a gradient of exactly zero\n  a gradient arrived at relu")
