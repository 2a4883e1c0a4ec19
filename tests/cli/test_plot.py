"""`agi grads --plot` as users call it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from forking import fork_agi
from process import run_agi

import autograd_inspect

Write = Callable[..., Path]

SINE = """
    import math, os, torch
    a = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
    b = torch.sin(a)
    out = (2 * b + 1).sum()
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    out.backward()
"""


def test_the_table_is_printed_and_the_plot_is_written_where_agi_was_started(script: Write) -> None:
    where = script(SINE)
    done = fork_agi("grads", "--plot", "x.png", "--json", "train.py:out", cwd=where)
    assert (done.status, done.err) == (0, "wrote x.png\n")
    assert json.loads(done.out)["rows"][0]["name"] == "a"
    assert (where / "x.png").read_bytes().startswith(b"\x89PNG")


def test_a_capture_holds_values_only_where_a_plot_was_asked_for(script: Write) -> None:
    where = script(SINE)
    assert fork_agi("grads", "train.py", cwd=where).status == 0
    assert fork_agi("grads", "--plot", "x.svg", "train.py", cwd=where).status == 0
    bare, full = map(autograd_inspect.load, sorted((where / ".agi").glob("*.agi")))
    assert not len(bare.curves)
    (chart,) = full.curves.charts
    assert [chart.leaf.name, *(one.name for one in chart.results)] == ["a", "b"]


def test_a_capture_is_plotted_again_without_running_anything(script: Write) -> None:
    where = script(SINE)
    fork_agi("grads", "--plot", "x.svg", "train.py", cwd=where)
    (where / "train.py").unlink()
    done = fork_agi("grads", "--plot", "y.svg", cwd=where)
    assert (done.status, done.err) == (0, "wrote y.svg\n")
    assert (where / "x.svg").read_bytes() == (where / "y.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--plot", "x.gif"], "--plot x.gif: no plot goes by the extension .gif"),
        (["--plot", "x"], "--plot x: no plot goes by the extension (none)"),
        (["--plot", "there.png"], "there.png exists"),
        (["--plot", "no/x.png"], "no/x.png: there is no directory no"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_program_runs(
    script: Write, options: list[str], line: str
) -> None:
    where = script("open('ran', 'w')")
    (where / "there.png").touch()
    done = fork_agi("grads", *options, "train.py", cwd=where)
    assert done.status == 2
    assert line in done.err
    assert not (where / "ran").exists()


def test_force_overwrites(script: Write) -> None:
    where = script(SINE)
    (where / "x.png").touch()
    done = fork_agi("grads", "--plot", "x.png", "--force", "train.py", cwd=where)
    assert done.status == 0
    assert (where / "x.png").stat().st_size > 1000


def test_without_matplotlib_one_line_says_what_to_install(script: Write) -> None:
    where = script("open('ran', 'w')")
    hidden = where / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: "
        "None if name == 'matplotlib' else find(name, *more)\n"
    )
    paths = os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")])
    done = run_agi("grads", "--plot", "x.png", "train.py", cwd=where, PYTHONPATH=paths)
    assert done.status == 2
    assert "pip install 'autograd-inspect[plot]'" in done.err
    assert not (where / "ran").exists()


def test_the_program_imports_matplotlib_first_or_not_at_all(script: Write) -> None:
    where = script(
        """
        import sys, torch
        a = torch.ones(3, requires_grad=True)
        print(any(name.startswith(("matplotlib", "PIL")) for name in sys.modules))
        a.exp().sum().backward()
        """
    )
    done = fork_agi("grads", "--plot", "x.png", "train.py", cwd=where)
    assert done.out.startswith("False\n")


def test_without_a_gradient_one_line_says_so(script: Write) -> None:
    where = script("import torch\na = torch.ones(3, requires_grad=True)\nb = a.exp()")
    done = fork_agi("grads", "--plot", "x.png", "train.py:b", cwd=where)
    assert done.status == 2
    assert (
        "nothing to plot: no tensor of this capture has a gradient (backward: not run)" in done.err
    )
    assert not (where / "x.png").exists()


def test_the_plot_is_written_before_fail_on_counts(script: Write) -> None:
    where = script("import torch\na = torch.ones(3, requires_grad=True)\n(a * 0).sum().backward()")
    done = fork_agi("grads", "--plot", "x.png", "--fail-on", "zero", "train.py", cwd=where)
    assert done.status == 1
    assert (where / "x.png").exists()
