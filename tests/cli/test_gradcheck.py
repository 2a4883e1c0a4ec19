"""`agi gradcheck` as users run it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from forking import fork_agi
from process import run

SAMPLE = Path(__file__).parents[2] / "samples" / "wrong_backward.py"

PROGRAM = """
import torch, sys
from torch.utils.checkpoint import checkpoint

class Double(torch.autograd.Function):
    calls = 0
    @staticmethod
    def forward(ctx, x):
        Double.calls += 1
        print("forward", Double.calls)
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        print("backward", g.tolist(), torch.rand(1).item())
        (x,) = ctx.saved_tensors
        return 2 * x * g

class Plain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x + 1
    @staticmethod
    def backward(ctx, g):
        return g

torch.manual_seed(0)
w = torch.rand(3, requires_grad=True)
for step in range(2):
    with torch.no_grad():
        Double.apply(w)
    hidden = w
    for _ in range(3):
        hidden = Double.apply(hidden)
    hidden = checkpoint(Plain.apply, hidden, use_reentrant=False)
    w.data.mul_(1)
    loss = hidden.sum()
    loss.backward()
    print("loss", loss.item(), w.grad.tolist(), torch.rand(1).item())
"""


@pytest.fixture
def where(tmp_path: Path) -> Path:
    shutil.copy(SAMPLE, tmp_path / "wrong.py")
    (tmp_path / "calls.py").write_text(PROGRAM)
    return tmp_path


def test_a_wrong_backward_is_named_and_ends_in_1(where: Path) -> None:
    done = fork_agi("gradcheck", "--json", "wrong.py:loss", cwd=where)
    found = json.loads(done.out)
    assert done.status == 1
    assert "loss " in done.err  # the program's own output, out of the way
    assert (found["schema"], found["findings"], found["custom"]) == ("agi.gradcheck/1", 1, 3)
    rows = {row["function"]: row for row in found["rows"]}
    (product,) = rows["Product"]["inputs"]
    assert (product["slug"], product["verdict"]) == ("custom_backward_missing_factor", "wrong")
    assert product["analytic"] == pytest.approx(-20 * product["numeric"], rel=1e-3)
    assert rows["Product"]["upstream"] == pytest.approx(0.05)
    assert rows["Product"]["file"] == "wrong.py"
    assert rows["RoundThrough"]["module"] == "scale"
    assert rows["RoundThrough"]["inputs"][0]["verdict"] == "straight-through"
    assert not rows["Softplus"]["finding"]


def test_the_table_says_in_words_what_is_wrong(where: Path) -> None:
    done = fork_agi("gradcheck", "wrong.py:loss", "--width", "110", cwd=where)
    assert "Product (wrong.py:53): the gradient of x does not depend on grad_output" in done.out
    assert done.out.splitlines()[-1] == "3 functions · 1 wrong"
    plain = fork_agi("gradcheck", "wrong.py:loss", "--width", "110", "--ascii", cwd=where)
    assert plain.out.isascii()


def test_lines_for_programs(where: Path) -> None:
    tabbed = fork_agi("gradcheck", "wrong.py:loss", cwd=where)
    _, head, *rows = [line.split("\t") for line in tabbed.out.splitlines()]
    assert [len(row) for row in rows] == [len(head)] * 3
    assert head[:3] == ["function", "file", "line"]
    written = fork_agi("gradcheck", "wrong.py:loss", "-o", "x.csv", cwd=where)
    assert written.status == 1
    assert len((where / "x.csv").read_text().splitlines()) == 4
    again = fork_agi("gradcheck", "wrong.py:loss", "-o", "x.csv", cwd=where)
    assert (again.status, "--force" in again.err) == (2, True)


def test_the_program_runs_as_it_would(where: Path) -> None:
    """Up to the captured backward: same output, same random numbers, nothing from our checks."""
    expected = run(sys.executable, "calls.py", cwd=where).out.splitlines()
    done = fork_agi("gradcheck", "--step", "2", "-o", "x.json", "calls.py", cwd=where)
    lines = done.out.splitlines()
    assert lines == expected[: len(lines)]
    assert len(lines) == len(expected) - 1  # stopped before its last line
    found = json.loads((where / "x.json").read_text())
    assert done.status == 0
    calls = [(row["function"], row["call"], row["calls"]) for row in found["rows"]]
    assert calls == [("Double", 1, 3), ("Double", 3, 3), ("Plain", 1, 1)]
    assert found["custom"] == 4
    assert [row["inputs"][0]["verdict"] for row in found["rows"]] == ["ok"] * 3
    assert all(row["upstream"] for row in found["rows"])


def test_nothing_of_ours_in_a_traceback(where: Path) -> None:
    (where / "fails.py").write_text(
        "import torch\n"
        "class Bad(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x): raise ValueError('mine')\n"
        "x = torch.ones(2, requires_grad=True)\n"
        "Bad.apply(x).sum().backward()\n"
    )
    expected = run(sys.executable, "fails.py", cwd=where)
    done = fork_agi("gradcheck", "fails.py", cwd=where)
    assert done.status == 1
    assert done.err.startswith(expected.err)


def test_a_backward_that_fails_is_the_programs_own(where: Path) -> None:
    (where / "fails.py").write_text(
        "import torch\n"
        "class Bad(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x): return x * 2\n"
        "    @staticmethod\n"
        "    def backward(ctx, g): return g, g\n"
        "x = torch.ones(2, requires_grad=True)\n"
        "Bad.apply(x).sum().backward()\n"
    )
    expected = run(sys.executable, "fails.py", cwd=where)
    done = fork_agi("gradcheck", "--json", "fails.py", cwd=where)
    assert done.status == 1
    assert done.err.startswith(expected.err)
    (row,) = json.loads(done.out)["rows"]
    assert row["faults"][0]["slug"] == "backward_raises"


def test_a_graph_without_custom_functions(where: Path) -> None:
    program = "import torch; x = torch.ones(2, requires_grad=True); (x * 2).sum().backward()"
    done = fork_agi("gradcheck", "-c", program, cwd=where)
    assert (done.status, done.out) == (0, "")
    assert "no custom Function" in done.err


def test_what_one_backward_overwrites_of_another(where: Path) -> None:
    (where / "shared.py").write_text(
        "import torch\n"
        "class Exp(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        out = x.exp(); ctx.save_for_backward(out); return out\n"
        "    @staticmethod\n"
        "    def backward(ctx, g): return g * ctx.saved_tensors[0]\n"
        "class Square(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, a): ctx.save_for_backward(a); return a * a\n"
        "    @staticmethod\n"
        "    def backward(ctx, g): return ctx.saved_tensors[0].data.mul_(2 * g)\n"
        "x = torch.rand(3, requires_grad=True)\n"
        "Square.apply(Exp.apply(x)).sum().backward()\n"
    )
    found = json.loads(fork_agi("gradcheck", "--json", "shared.py", cwd=where).out)
    faults = {row["function"]: row["faults"] for row in found["rows"]}
    assert faults["Square"] == [{"slug": "backward_mutates_saved", "at": "a"}]
    assert faults["Exp"] == [{"slug": "saved_overwritten", "at": "the output"}]


def test_a_named_function(where: Path) -> None:
    right = fork_agi(
        "gradcheck", "wrong.py:softplus", "--inputs", "torch.randn(2, 3)", "--json", cwd=where
    )
    (row,) = json.loads(right.out)["rows"]
    assert (right.status, row["gradcheck"], row["gradgradcheck"]) == (0, "passes", "passes")
    assert [one["order"] for one in row["inputs"]] == [1, 2, 2]
    wrong = fork_agi(
        "gradcheck", "wrong.py:volume", "--inputs", "torch.rand(3) + 1", "--no-second", cwd=where
    )
    assert wrong.status == 1
    assert "custom_backward_missing_factor" in wrong.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("wrong.py", "--inputs", "x"), "names no function"),
        (("wrong.py:nope", "--inputs", "x"), "nothing named 'nope'"),
        (("wrong.py:volume", "--inputs", "x)"), "not an expression"),
        (("wrong.py:volume", "--inputs", "(x, x)"), "does not take"),
        (("wrong.py:volume", "--inputs", "3.0"), "not a tensor"),
        (("wrong.py:volume", "--inputs", "torch.ones(2, dtype=int)"), "derivative"),
        (("missing.py",), "no file"),
        (("wrong.py:volume", "--json", "--csv"), "one at a time"),
    ],
)
def test_what_cannot_be_carried_out_is_said_in_a_line(
    where: Path, words: tuple[str, ...], said: str
) -> None:
    done = fork_agi("gradcheck", *words, cwd=where)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_names_that_no_terminal_should_print(where: Path) -> None:
    (where / "odd.py").write_text(
        "import torch\n"
        "def forward(ctx, x): return x * 2\n"
        "def backward(ctx, g): return g\n"
        "body = {'forward': staticmethod(forward), 'backward': staticmethod(backward)}\n"
        "Odd = type('O\\x1b[31m\\td', (torch.autograd.Function,), body)\n"
        "Odd.apply(torch.ones(2, requires_grad=True)).sum().backward()\n"
    )
    for form in ((), ("--csv",), ("--width", "100")):
        done = fork_agi("gradcheck", "odd.py", *form, cwd=where)
        assert done.status == 1
        assert "\x1b" not in done.out


def test_the_backward_of_a_module_is_never_called(where: Path) -> None:
    (where / "module.py").write_text(
        "import torch\n"
        "class Reverse(torch.nn.Module):\n"
        "    def forward(self, x): return x\n"
        "    def backward(self, grad): return -grad\n"
        "class Trained(torch.nn.Module):\n"
        "    def forward(self, x): return x\n"
        "    def backward(self, loss): loss.backward()\n"
        "x = torch.ones(2, requires_grad=True)\n"
        "reverse, trained = Reverse(), Trained()\n"
        "trained.backward(reverse(x).sum() * 2)\n"
    )
    done = fork_agi("gradcheck", "--json", "module.py", cwd=where)
    found = json.loads(done.out)
    assert done.status == 1
    (one,) = found["ignored"]
    assert (one["name"], one["slug"]) == ("Reverse.backward", "module_backward_ignored")
    assert (one["file"], one["line"]) == ("module.py", 4)
    assert "Reverse.backward (module.py:4) is never called" in done.err
