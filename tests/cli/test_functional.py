"""`agi functional` in a process of its own, on programs of every kind."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forking import fork_agi
from process import run
from safetensors.numpy import load_file

Write = Callable[..., Path]

PROGRAM = """
    import sys
    import torch
    from torch import nn

    torch.manual_seed(0)
    x, y = torch.rand(3), torch.rand(3)
    net = nn.Linear(3, 2)
    batch = torch.randn(4, 3)

    def f(x, y):
        return 2 * x.exp() + 3 * y

    def fails(x):
        return deeper(x)

    def deeper(x):
        raise ValueError("not today")

    def speaks(x):
        print("function speaking")
        return x * 2

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, gradient):
            return gradient * ctx.saved_tensors[0]

        @staticmethod
        def jvp(ctx, tangent):
            return 2 * tangent * ctx.saved_tensors[0]

    def wrong(x):
        return Wrong.apply(x)

    print("program speaking", *sys.argv[1:])
    if "--fail" in sys.argv:
        raise RuntimeError("own")
    if "--exit" in sys.argv:
        sys.exit(7)
"""


@pytest.fixture
def where(script: Write) -> Path:
    return script(PROGRAM)


def test_a_pipe_gets_every_value(where: Path) -> None:
    done = fork_agi("functional", "jacobian", "train.py:f", "--inputs", "(x, y)", cwd=where)
    assert done.status == 0, done.err
    speaking, heading, *lines = done.out.splitlines()
    assert speaking == "program speaking"
    assert heading.split("\t") == ["output", "input", "output_index", "input_index", "value"]
    cells = [line.split("\t") for line in lines]
    assert [float(c[4]) for c in cells if c[1] == "y"] == (3 * np.eye(3)).ravel().tolist()
    assert done.err == "agi: checked: forward mode agrees exactly\n"


def test_a_terminal_gets_blocks(where: Path) -> None:
    done = fork_agi(
        "functional", "jacobian", "train.py:f", "--inputs", "(x, y)", "--width", "80", cwd=where
    )
    assert "d f / d x  [3] × [3]  diagonal\n" in done.out
    assert "d f / d y  [3] × [3]  3 × identity\n  3  ·  ·\n" in done.out
    assert done.out.endswith("\nchecked: forward mode agrees exactly\n")
    assert done.err == ""


def test_options_stand_anywhere_and_arguments_follow_two_dashes(where: Path) -> None:
    done = fork_agi(
        "functional", "--json", "jacobian", "train.py:net", "--wrt", "weight", "--inputs", "batch",
        "--", "--lr", "1", cwd=where,
    )  # fmt: skip
    table = json.loads(done.out)
    assert [(row["output"], row["input"]) for row in table["rows"]] == [("net", "net.weight")]
    assert table["rows"][0]["shape"] == [4, 2, 2, 3]
    assert done.err.startswith("program speaking --lr 1\n")


@pytest.mark.parametrize(
    ("source", "stdin"),
    [
        (["-c", "def g(a): return a * a", "-e", "g"], ""),
        (["-", "-e", "g"], "def g(a): return a * a"),
        (["-m", "train:g"], ""),
        (["plain.py", "-e", "lambda a: a * a"], ""),
    ],
)
def test_programs_come_from_everywhere_and_need_not_import_torch(
    source: list[str], stdin: str, script: Write
) -> None:
    where = script("def g(a):\n    return a * a\n")
    script("", name="plain.py")
    done = fork_agi(
        "functional", "jacobian", *source, "--inputs", "torch.ones(2)", "--csv", cwd=where,
        stdin=stdin,
    )  # fmt: skip
    assert done.status == 0, done.err
    assert [line.split(",")[-1] for line in done.out.splitlines()[1:]] == [
        "2.0",
        "0.0",
        "0.0",
        "2.0",
    ]


def test_a_function_that_raises_shows_its_own_traceback_and_one_line(where: Path) -> None:
    done = fork_agi("functional", "jacobian", "train.py:fails", "--inputs", "x", cwd=where)
    assert done.status == 2
    lines = done.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    files = [line for line in lines if line.lstrip().startswith("File ")]
    assert [line.rpartition(" in ")[2] for line in files] == ["fails", "deeper"]
    assert all("train.py" in line for line in files)
    assert lines[-2:] == [
        "ValueError: not today",
        "agi: fails raised ValueError when called with x [3]: not today",
    ]


def test_a_program_that_fails_ends_as_under_python(where: Path) -> None:
    done = fork_agi(
        "functional", "jacobian", "train.py:f", "--inputs", "(x, y)", "--", "--fail", cwd=where
    )
    plain = run(sys.executable, "train.py", "--fail", cwd=where)
    assert (done.status, done.out) == (plain.status, plain.out)
    said = "agi: nothing computed: the program failed before its function was called\n"
    assert done.err == plain.err + said


def test_a_program_that_exits_is_used_all_the_same_and_gives_the_status(where: Path) -> None:
    done = fork_agi(
        "functional", "jacobian", "train.py:f", "--inputs", "(x, y)", "--json", "--", "--exit",
        cwd=where,
    )  # fmt: skip
    assert done.status == 7
    assert len(json.loads(done.out)["rows"]) == 2


def test_what_disagrees_is_status_1(where: Path) -> None:
    done = fork_agi(
        "functional", "jacobian", "train.py:wrong", "--inputs", "x", "--width", "80", cwd=where
    )
    assert done.status == 1
    assert "forward mode disagrees by 0.5 (wrong by x at [" in done.out
    unchecked = fork_agi(
        "functional", "jacobian", "train.py:wrong", "--inputs", "x", "--no-check", cwd=where
    )
    assert (unchecked.status, unchecked.err) == (0, "")


def test_what_the_function_prints_is_no_result(where: Path) -> None:
    done = fork_agi("functional", "jacobian", "train.py:speaks", "--inputs", "x", cwd=where)
    assert "function speaking" not in done.out
    assert "function speaking" in done.err


@pytest.mark.parametrize("extension", ["npz", "safetensors"])
def test_arrays_go_to_a_file_and_blocks_to_stdout(extension: str, where: Path) -> None:
    command = ("functional", "jacobian", "train.py:f", "--inputs", "(x, y)", "--width", "80")
    done = fork_agi(*command, "-o", f"numbers.{extension}", cwd=where)
    assert done.status == 0, done.err
    assert done.err == f"wrote numbers.{extension}\n"
    assert "3 × identity" in done.out
    path = where / f"numbers.{extension}"
    found = (
        load_file(path) if extension == "safetensors" else np.load(io.BytesIO(path.read_bytes()))
    )
    assert set(found) == {"f/x", "f/y"}
    np.testing.assert_array_equal(found["f/y"], 3 * np.eye(3, dtype=np.float32))
    before = path.read_bytes()
    again = fork_agi(*command, "-o", f"numbers.{extension}", cwd=where)
    assert (again.status, path.read_bytes()) == (2, before)
    assert again.err.splitlines() == [
        f"agi: numbers.{extension} exists",
        "     --force overwrites it",
    ]
    assert again.out == ""  # said before the program ran


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jacobian", "train.py", "--inputs", "x"], "agi: train.py names no function\n"),
        (["jacobian", "train.py:f", "--inputs", "(x,"], "agi: --inputs (x,: not an expression"),
        (["jacobian", "train.py:f", "--inputs", "x"], "missing a required argument: 'y'"),
        (["jacobian", "train.py:ff", "--inputs", "x"], "did you mean f?"),
        (["jacobian", "train.py:x", "--inputs", "x"], "x is a Tensor [3], not a function"),
        (["jacobian", "train.py:f", "--inputs", "(x, 1)", "--wrt", "z"], "--wrt z: no inputs"),
        (["hessian", "train.py:f", "--inputs", "(x, y)"], "hessian needs a scalar, and f gives"),
        (["vjp", "train.py:f", "--inputs", "(x, y)"], "vjp needs --v: f gives [3]"),
        (["vjp", "train.py:f", "--inputs", "(x, y)", "--v", "nope"], "nothing named 'nope'"),
        (["vjp", "train.py:f", "--inputs", "(x, y)", "--v", "1"], "--v 1 holds no tensor"),
        (["jacobian", "nowhere.py:f", "--inputs", "x"], "there is no file nowhere.py"),
        (["gradient", "train.py:f", "--inputs", "x"], "'gradient' is not one of"),
        (["jacobian", "train.py:f"], "Missing option '--inputs'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str], said: str, where: Path
) -> None:
    done = fork_agi("functional", *arguments, cwd=where)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_the_functions_own_imports_are_those_of_the_program(script: Write) -> None:
    where = script(
        """
        import torch

        def f(x):
            import rich, late
            return x * rich.FACTOR * late.FACTOR
        """
    )
    script("FACTOR = 2", name="rich.py")
    script("FACTOR = 5", name="late.py")
    done = fork_agi(
        "functional", "jacobian", "train.py:f", "--inputs", "torch.ones(1)", "--width", "60",
        cwd=where,
    )  # fmt: skip
    assert done.status == 0, done.err
    assert "d f / d x  [1] × [1]\n  10\n" in done.out
