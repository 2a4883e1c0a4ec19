"""`--grad-output`: the gradient to start with, in every verb that runs a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from forking import fork_agi
from process import Done

PROGRAM = """
import sys
import torch

w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
v = torch.tensor([1.0, 0.0, 2.0])

def train(how):
    own = torch.tensor([3.0, 3.0, 3.0])
    h = w * w
    outs = {"a": h, "b": (w.exp(), 3)}
    if how == "vector":
        h.backward(own)
    if how == "sum":
        (5 * h).sum().backward()
    return outs

outs = train(sys.argv[1] if len(sys.argv) > 1 else "")
h, g = outs["a"], outs["b"][0]
"""

W, V = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 2.0])


@pytest.fixture
def where(tmp_path: Path) -> Path:
    (tmp_path / "vector.py").write_text(PROGRAM)
    return tmp_path


def norm(done: Done) -> float:
    """Give the norm of what arrived at `w`."""
    assert done.status == 0, done.err
    rows = {row["name"]: row for row in json.loads(done.out)["rows"]}
    found: float = rows["w"]["norm"]
    return found


def size(gradient: torch.Tensor) -> object:
    return pytest.approx(gradient.norm().item(), rel=1e-6)


@pytest.mark.parametrize(
    ("expression", "grad_output", "expected"),
    [
        ("h", "v", 2 * W * V),
        ("h", "torch.ones(3) * 4", 8 * W),
        ("h", "[v]", 2 * W * V),
        ("h, g", "(v, 2 * v)", 2 * W * V + W.exp() * 2 * V),
        ("outs", "[v, 2 * v]", 2 * W * V + W.exp() * 2 * V),
        ("outs", "{'a': v, 'b': 2 * v}", 2 * W * V + W.exp() * 2 * V),
        ("outs", "{'b': 2 * v, 'a': v}", 2 * W * V + W.exp() * 2 * V),
        ("h + g", "v", 2 * W * V + W.exp() * V),
    ],
)
def test_the_gradient_is_that_of_torch(
    where: Path, expression: str, grad_output: str, expected: torch.Tensor
) -> None:
    words = ("grads", "--json", "vector.py", "-e", expression, "--grad-output", grad_output)
    assert norm(fork_agi(*words, cwd=where)) == size(expected)


@pytest.mark.parametrize("kind", ["-m", "-c", "-"])
def test_whatever_kind_of_target(where: Path, kind: str) -> None:
    target = {"-m": ("-m", "vector"), "-c": ("-c", PROGRAM), "-": ("-",)}[kind]
    words = ("grads", "--json", *target, "-e", "h", "--grad-output", "v")
    assert norm(fork_agi(*words, cwd=where, stdin=PROGRAM)) == size(2 * W * V)


@pytest.mark.parametrize("verb", ["trace", "show", "render", "memory", "path"])
def test_every_verb_that_runs_a_program(where: Path, verb: str) -> None:
    words = {"path": ("path", "w"), "render": ("render", "--dot")}.get(verb, (verb,))
    done = fork_agi(*words, "--grad-output", "v", "vector.py:h", cwd=where)
    assert done.status == 0, done.err
    assert norm(fork_agi("grads", "--json", cwd=where)) == size(2 * W * V)


def test_a_local_variable_where_backward_is_called(where: Path) -> None:
    """An EXPR that computes is traced there, with a backward of ours."""
    words = ("grads", "--json", "vector.py", "-e", "h * 2", "--grad-output", "own", "--", "sum")
    assert norm(fork_agi(*words, cwd=where)) == size(2 * 2 * W * 3)


@pytest.mark.parametrize(("how", "expected"), [("vector", 2 * W * 3), ("sum", 10 * W)])
def test_the_programs_own_backward_comes_first(
    where: Path, how: str, expected: torch.Tensor
) -> None:
    words = ("grads", "--json", "vector.py:h", "--grad-output", "v", "--", how)
    done = fork_agi(*words, cwd=where)
    assert norm(done) == size(expected)
    assert "--grad-output is not used" in done.err
    without = fork_agi("grads", "--json", "vector.py:h", "--", how, cwd=where)
    assert "--grad-output" not in without.err


@pytest.mark.parametrize(
    ("expression", "grad_output", "said"),
    [
        ("h", "torch.ones(4)", "has shape [4], the root has [3]"),
        ("h", "torch.ones(())", "has shape [], the root has [3]"),
        ("outs", "v", "is 1 tensor for 2 roots"),
        ("h", "(v, v)", "is 2 tensors for 1 root"),
        ("outs", "{'b': v[:1], 'a': v}", "has shape [1], the root has [3]"),
        ("h", "3.0", "--grad-output 3.0 gives a float, not a tensor"),
        ("h", "nope", "nothing named 'nope'"),
        ("h", "v)", "not an expression"),
        ("h", "1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(
    where: Path, expression: str, grad_output: str, said: str
) -> None:
    done = fork_agi("trace", "--grad-output", grad_output, "-e", expression, "vector.py", cwd=where)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_without_it_the_remark_names_it(where: Path) -> None:
    done = fork_agi("trace", "vector.py:h", cwd=where)
    assert done.status == 0
    assert "--grad-output EXPR gives the gradient to start with" in done.out
