"""`agi trace` from the outside: status, stdout, stderr, and the file that is left."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from process import Done, run, run_agi

import autograd_inspect

Write = Callable[..., Path]

SINE = """
    import math, sys, torch
    a = torch.linspace(0.0, 2 * math.pi, steps=25, requires_grad=True)
    out = (2 * torch.sin(a) + 1).sum()
    print("before", *sys.argv[1:])
    out.backward()
    print("after")
"""

LOCAL = """
    import torch
    from torch import nn

    def train():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
        for step in range(3):
            loss = model(torch.randn(2, 4)).pow(2).mean()
            loss.backward()
            print("step", step)

    train()
"""


def captures(where: Path) -> list[Path]:
    return sorted(where.glob(".agi/*.agi"))


def test_rails_after_the_scripts_output_and_everything_else_on_stderr(script: Write) -> None:
    where = script(SINE)
    done = run_agi("trace", "train.py:out", "--lr", "0.1", "-o", "mine", cwd=where)
    assert done.status == 0
    first, heading, *rails = done.out.splitlines()
    assert first == "before --lr 0.1 -o mine"
    assert heading.split() == ["shape", "saved", "grad", "line"]
    assert [line.split()[1] for line in rails[:4]] == ["sum", "add", "mul", "sin"]
    assert rails[3].endswith("◆ a")
    assert "5 nodes · 4 edges (2 undefined) · 1 leaf · depth 5" in rails
    assert "train.py:6, backward call 1 of the script" in rails
    assert "saved .agi/" in done.err
    assert "agi grads" in done.err
    assert len(captures(where)) == 1


def test_a_backward_that_fails_shows_the_traceback_that_python_shows(script: Write) -> None:
    where = script(
        """
        import torch
        def train():
            x = torch.ones(3, requires_grad=True)
            y = x.exp()
            y.add_(1)
            y.sum().backward()
        train()
        """
    )
    plain = run(sys.executable, "train.py", cwd=where)
    done = run_agi("trace", "train.py", cwd=where)
    assert (done.status, plain.status) == (1, 1)
    assert done.err.startswith(plain.err)
    assert "backward failed: RuntimeError: one of the variables" in done.out


def test_quiet_prints_nothing_of_ours(script: Write) -> None:
    where = script(SINE)
    done = run_agi("trace", "-q", "train.py", cwd=where)
    assert (done.status, done.out, done.err) == (0, "before\n", "")
    assert len(captures(where)) == 1


def test_a_local_name_and_a_later_step(script: Write) -> None:
    where = script(LOCAL)
    done = run_agi("trace", "--step", "2", "train.py:loss", cwd=where)
    assert done.status == 0
    assert done.out.startswith("step 0\n")
    assert done.out.splitlines()[2].startswith("◉ mean → loss")
    assert "2 (Linear)  addmm" in done.out
    assert "train.py:10 in train, backward call 2 of the script" in done.out


def test_keep_running_lets_the_script_end(script: Write) -> None:
    done = run_agi("trace", "-q", "--keep-running", "train.py:loss", cwd=script(LOCAL))
    assert (done.status, done.out) == (0, "step 0\nstep 1\nstep 2\n")


def test_the_scripts_own_failure_is_shown_and_its_status_kept(script: Write) -> None:
    where = script(
        """
        import sys, torch
        def work():
            loss = torch.ones(2, requires_grad=True).sum()
            if len(sys.argv) > 1:
                sys.exit(7)
            raise ValueError("too soon")
        work()
        """
    )
    done = run_agi("trace", "train.py:loss", cwd=where)
    assert done.status == 1
    assert done.out.splitlines()[1].startswith("◉ sum → loss")
    assert done.err.startswith("Traceback (most recent call last):\n")
    assert "autograd_inspect" not in done.err
    assert "ValueError: too soon" in done.err
    done = run_agi("trace", "train.py:loss", "x", cwd=where)
    assert done.status == 7


#: Targets of which agi says already at the first backward that they are not to be had there.
EARLY = {"train.py:outt", "train.py:a.detach()"}


def early_word(lines: list[str]) -> tuple[str, list[str]]:
    """Part what was said while the script ran from what was said at its end."""
    if "at the first backward call" in lines[0] or "computed when the program ends" in lines[0]:
        return lines[0], lines[1:]
    return "", lines


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("none.py", 2, "none.py"),
        ("train.py:a +", 2, "a +"),
        ("train.py:outt", 2, "outt: nothing named 'outt' when the script ended"),
        ("train.py:out.nothing", 2, "out.nothing: AttributeError"),
        ("train.py:math.pi", 5, "math.pi is a plain number"),
        ("train.py:a", 5, "a is a leaf"),
        ("train.py:a.detach()", 5, "a.detach() does not require grad"),
        ("train.py:torch", 5, "torch is a module and holds no tensor"),
    ],
)
def test_bad_input_is_one_clear_line(script: Write, target: str, status: int, words: str) -> None:
    done = run_agi("trace", target, cwd=script(SINE))
    assert done.status == status
    early, (line, *hint) = early_word(done.err.splitlines())
    assert bool(early) == (target in EARLY)
    assert line.startswith("agi: ")
    assert words in line
    assert len(hint) <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print('no torch here')", "never imported torch"),
        ("import torch\nx = torch.ones(2)\ny = x * 2", "no tensor of the program requires grad"),
        (
            "import torch\nx = torch.ones(2, requires_grad=True)\ny = torch.no_grad()(x.exp)()",
            "computed from none such, under no_grad",
        ),
        (
            "import torch; torch.set_grad_enabled(False); y = torch.ones(2) * 2",
            "set_grad_enabled(False) was never undone",
        ),
    ],
)
def test_nothing_to_trace_says_why(script: Write, text: str, words: str) -> None:
    where = script(text)
    done = run_agi("trace", "train.py", cwd=where)
    assert done.status == 5
    assert words in done.err
    assert not captures(where)


def test_without_a_backward_ours_is_run_and_the_programs_grad_left_alone(script: Write) -> None:
    where = script(
        """
        import atexit, torch
        x = torch.ones(3, requires_grad=True)
        early = x.exp().sum()
        late = (x * 3).sum()
        atexit.register(lambda: print("grad", x.grad))
        """
    )
    done = run_agi("trace", "train.py", cwd=where)
    assert done.out.splitlines()[1].startswith("◉ sum → late")
    assert "backward was run by agi" in done.out
    assert done.out.endswith("grad None\n")
    rows = json.loads(run_agi("grads", "--json", cwd=where).out)["rows"]
    assert {row["name"]: row["norm"] for row in rows}["x"] == pytest.approx(27**0.5)
    done = run_agi("trace", "--no-backward", "train.py:early", cwd=where)
    assert "backward was not run" in done.out


def test_a_vector_needs_a_gradient_to_start_with(script: Write) -> None:
    where = script(
        "import torch\nx = torch.ones(3, requires_grad=True)\ny = x * torch.arange(3.0)\n"
    )
    done = run_agi("trace", "train.py:y", cwd=where)
    assert done.status == 0
    assert "--grad-output" in done.out
    done = run_agi(
        "trace", "--grad-output", "torch.tensor([1., 10., 100.])", "train.py:y", cwd=where
    )
    rows = json.loads(run_agi("grads", "--json", cwd=where).out)["rows"]
    assert rows[0]["max"] == 200.0
    for wrong, said in (
        ("3", "--grad-output 3 gives an int, not a tensor"),
        ("torch.ones(4)", "the gradient to start with has shape [4], the root has [3]"),
        ("[torch.ones(3), torch.ones(3)]", "the gradient to start with is 2 tensors for 1 root"),
    ):
        done = run_agi("trace", "--grad-output", wrong, "train.py:y", cwd=where)
        assert done.status == 2, wrong
        assert done.err.startswith(f"agi: {said}\n")


def test_targets_of_every_kind(script: Write) -> None:
    where = script(SINE)
    (where / "package").mkdir()
    (where / "package" / "__main__.py").write_text((where / "train.py").read_text())
    code = (where / "train.py").read_text()
    kinds: list[tuple[list[str], str]] = [
        (["-m", "package"], ""),
        (["-m", "train:out"], ""),
        (["-c", code], ""),
        (["-e", "out", "-c", code], ""),
        (["-"], code),
        (["package"], ""),
    ]
    for arguments, stdin in kinds:
        done = run_agi("trace", *arguments, cwd=where, stdin=stdin)
        assert (done.status, done.out.splitlines()[2][:5]) == (0, "◉ sum"), arguments


def test_a_capture_that_cannot_be_saved_is_shown_all_the_same(script: Write) -> None:
    where = script(SINE)
    (where / ".agi").write_text("in the way")
    done = run_agi("trace", "train.py", cwd=where)
    assert done.status == 2
    assert "◉ sum → out" in done.out
    assert done.err.splitlines()[-1].startswith("agi: ")
    assert "saved" not in done.err


def test_a_named_output_is_not_overwritten_unless_forced(script: Write) -> None:
    where = script(SINE)
    first = run_agi("trace", "-q", "-o", "x.agi", "train.py", cwd=where)
    again = run_agi("trace", "-q", "-o", "x.agi", "train.py", cwd=where)
    forced = run_agi("trace", "-q", "--force", "-o", "x.agi", "train.py", cwd=where)
    assert [first.status, again.status, forced.status] == [0, 2, 0]
    assert again.out == ""  # the script did not even start
    assert autograd_inspect.load(where / "x.agi").about.target == "train.py"


def test_a_script_that_changes_directory_leaves_the_capture_where_it_was_started(
    script: Write,
) -> None:
    where = script("import os\nos.chdir('/')\n" + SINE.replace("\n    ", "\n"))
    assert run_agi("trace", "-q", "train.py", cwd=where).status == 0
    assert len(captures(where)) == 1


def test_a_forked_child_saves_nothing(script: Write) -> None:
    where = script(
        """
        import os, torch
        child = os.fork()
        torch.ones(2, requires_grad=True).sum().backward()
        if child:
            os.waitpid(child, 0)
        """
    )
    done = run_agi("trace", "--keep-running", "train.py", cwd=where)
    assert done.status == 0
    assert done.out.count("◉ sum") == 1
    assert len(captures(where)) == 1


def test_only_rank_0_writes_unless_all_are_asked_for(script: Write) -> None:
    where = script(SINE)
    assert run_agi("trace", "train.py", cwd=where, RANK="1", WORLD_SIZE="2").status == 0
    assert not captures(where)
    done = run_agi("trace", "--rank", "all", "train.py", cwd=where, RANK="1", WORLD_SIZE="2")
    assert done.status == 0
    assert [path.stem[-5:] for path in captures(where)] == ["rank1"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal here")
def test_a_signal_asks_for_a_capture_of_a_running_program(script: Write) -> None:
    where = script(
        """
        import os, signal, torch
        x = torch.ones(1, requires_grad=True)
        for step in range(5):
            if step in (2, 4):
                os.kill(os.getpid(), signal.SIGUSR1)
            (x * step).sum().backward()
        """
    )
    done = run_agi("trace", "--save-on-signal", "USR1", "train.py", cwd=where)
    assert done.status == 0
    numbers = [autograd_inspect.load(path).about.number for path in captures(where)]
    assert numbers == [3, 5]
    done = run_agi("trace", "--save-on-signal", "USR2", "-c", "import torch", cwd=where)
    assert (done.status, "no backward call came" in done.err) == (5, True)


def test_ctrl_c_ends_the_script_as_python_would_and_keeps_the_capture(script: Write) -> None:
    where = script(
        """
        import time, torch
        torch.ones(2, requires_grad=True).sum().backward()
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    command = [sys.executable, "-m", "autograd_inspect", "trace", "--keep-running", "train.py"]
    process = subprocess.Popen(
        command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in err
    assert "autograd_inspect" not in err
    assert out.splitlines()[1].startswith("◉ sum")
    assert len(captures(where)) == 1


def test_a_pipe_that_is_closed_early_is_no_error(script: Write) -> None:
    where = script(SINE)
    run_agi("trace", "-q", "train.py", cwd=where)
    agi = f"{sys.executable} -m autograd_inspect"
    line = f"{agi} show | head -1; {agi} grads | head -1; {agi} render --dot | head -1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=where, capture_output=True, text=True, check=False
    )
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr == ""


def in_terminal(command: list[str], cwd: Path, columns: int) -> Done:
    """Run a command whose stdout is a terminal of so many columns."""
    here, there = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, cwd=cwd, stdout=there, stderr=subprocess.PIPE, text=True, env=environment
    )
    os.close(there)
    shown = b""
    while True:
        try:
            part = os.read(here, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    _, err = process.communicate(timeout=60)
    os.close(here)
    return Done(process.returncode, shown.decode(), err)


def test_a_terminal_gets_colour_and_fits(script: Write) -> None:
    where = script(LOCAL)
    run_agi("trace", "-q", "train.py", cwd=where)
    agi = [sys.executable, "-m", "autograd_inspect"]
    wide = in_terminal([*agi, "show"], where, 100)
    assert "\x1b[" in wide.out
    plain = in_terminal([*agi, "show", "--color", "never"], where, 44)
    assert "\x1b[" not in plain.out
    tree, _, _ = plain.out.replace("\r", "").partition("\n\n")
    assert max(map(len, tree.splitlines())) <= 44
    table = in_terminal([*agi, "grads", "--color", "never"], where, 100)
    assert "4 tensors · 4 with gradient" in table.out
