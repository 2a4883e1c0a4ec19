"""`agi diff` in a process of its own: captures, programs, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from build import make_capture
from forking import fork_agi

from autograd_inspect import store

Write = Callable[..., Path]

PROGRAM = """
    import sys
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), *[nn.ReLU() for _ in sys.argv[1:]], nn.Linear(4, 1))
    loss = net(torch.randn(5, 3)).sum()
    print("the program speaks", *sys.argv[1:])
    loss.backward()
    (2 * net(torch.randn(5, 3)).sum()).backward()
"""


@pytest.fixture
def where(tmp_path: Path) -> Path:
    store.save(make_capture("loss>mul mul>a"), tmp_path / "a.agi")
    store.save(make_capture("loss>exp exp>mul mul>a"), tmp_path / "b.agi")
    return tmp_path


def test_two_programs_with_arguments_of_their_own(script: Write) -> None:
    where = script(PROGRAM)
    source = "train.py:loss"
    done = fork_agi("diff", source, source, "--json", "--exit-code", "--", "--", "act", cwd=where)
    assert done.status == 1, done.err
    told = json.loads(done.out)  # what the programs print does not mix with it
    assert (told["totals"]["added"], told["totals"]["removed"]) == (1, 0)
    assert [told[side]["arguments"] for side in ("before", "after")] == [[], ["act"]]
    assert "the program speaks act" in done.err
    assert len(list(where.glob(".agi/*.agi"))) == 2
    # A capture alone is compared with the last.
    first, last = sorted(where.glob(".agi/*.agi"))
    again = fork_agi("diff", str(first), "--width", "80", cwd=where)
    assert "+ 1 added   - 0 removed" in again.out
    # A program alone is run, and compared with what was last.
    same = fork_agi("diff", source, "--exit-code", "--width", "80", cwd=where)
    assert (same.status, "- 1 removed" in same.out) == (1, True)
    assert str(last)


def test_each_program_is_captured_at_its_own_step(script: Write) -> None:
    where = script(PROGRAM)
    steps = ("--step", "1", "--step", "2")
    done = fork_agi("diff", "train.py", "train.py", *steps, "--width", "80", cwd=where)
    assert done.status == 0, done.err
    assert "backward call 1\nafter   train.py, backward call 2" in done.out
    assert "\n+ mul " in done.out


def test_a_program_that_fails_says_so_itself(script: Write) -> None:
    where = script("raise ValueError('of the user')", "fails.py")
    done = fork_agi("diff", "fails.py", "other.py", cwd=where)
    assert done.status == 1
    assert "ValueError: of the user" in done.err
    assert "subprocess" not in done.err


def test_differences_decide_the_status_only_when_asked(where: Path) -> None:
    plain = fork_agi("diff", "a.agi", "b.agi", cwd=where)
    assert (plain.status, len(plain.out.splitlines())) == (0, 2)
    assert fork_agi("diff", "a.agi", "b.agi", "--exit-code", cwd=where).status == 1
    same = fork_agi("diff", "a.agi", "a.agi", "--exit-code", cwd=where)
    assert (same.status, "no difference" in same.err) == (0, True)


def test_a_picture_goes_where_it_is_told_to(where: Path) -> None:
    done = fork_agi("diff", "a.agi", "b.agi", "-o", "change.svg", cwd=where)
    assert (done.status, done.err.strip()) == (0, "wrote change.svg")
    assert "+ exp" in (where / "change.svg").read_text("utf-8")
    again = fork_agi("diff", "a.agi", "b.agi", "-o", "change.svg", cwd=where)
    assert (again.status, "--force" in again.err) == (2, True)
    assert fork_agi("diff", "a.agi", "b.agi", "--dot", cwd=where).out.startswith("digraph")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a.agi", "missing.agi"], "there is no capture missing.agi"),
        (["a.agi"], "no capture here yet"),
        (["a.agi", "b.agi", "--what", "shape"], "did you mean shapes?"),
        (["a.agi", "b.agi", "--", "x"], "x: arguments are for a program"),
        (["a.agi", "b.agi", "--json", "--svg"], "no picture along with them"),
        (["a.agi", "b.agi", *["--step", "1"] * 3], "--step: once for both"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str], complaint: str, where: Path
) -> None:
    done = fork_agi("diff", *arguments, cwd=where)
    assert done.status == 2
    assert complaint in done.err
    assert "Traceback" not in done.err
