"""`agi train` in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forking import fork_agi
from process import run, run_agi

Write = Callable[..., Path]

PROGRAM = """
    import sys, warnings
    import torch
    from torch import nn

    torch.manual_seed(int(sys.argv[1]) if sys.argv[1:] else 0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer1, self.layer2 = nn.Embedding(9, 6, sparse=True), nn.Linear(6, 3)

        def forward(self, x):
            return self.layer2(torch.tanh(self.layer1(x)))

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for number in range(12):
        loss = nn.functional.cross_entropy(model(torch.randint(9, (5,))), torch.arange(5) % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(number, repr(loss.item()))
    print("weights", model.layer2.weight[0][0:4].tolist(), torch.rand(1).item())
"""


def parsed(text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def test_a_watched_program_prints_and_ends_as_it_does_alone(script: Write) -> None:
    where = script(PROGRAM)
    plain = run(sys.executable, "train.py", "7", cwd=where)
    watched = fork_agi(
        "train", "-q", "--steps", "5", "--keep-running", "-o", "x.csv", "train.py", "7", cwd=where
    )
    assert (watched.status, watched.out, watched.err) == (0, plain.out, "wrote x.csv\n" + plain.err)


def test_the_losses_and_weights_are_those_of_the_program(script: Write) -> None:
    where = script(PROGRAM)
    plain = run(sys.executable, "train.py", cwd=where).out.splitlines()
    done = fork_agi("train", "--json", "--show", "layer2.weight[0][0:4]", "train.py", cwd=where)
    found = parsed(done.out)
    assert found["schema"] == "agi.train/1"
    assert (found["seen"], found["wanted"], found["findings"]) == (12, 20, [])
    losses = [row["losses"][0]["value"] for row in found["rows"]]
    assert [f"{at} {value!r}" for at, value in enumerate(losses)] == plain[:12]
    after = found["shown"][0]["after"]
    assert f"weights {after} " in plain[12]
    assert found["shown"][0]["before"] != after
    assert {fate["name"]: fate["moved"] for fate in found["parameters"]} == {
        f"model.{name}": 12 for name in ("layer1.weight", "layer2.weight", "layer2.bias")
    }
    assert "weights" in done.err  # the program's own output, kept apart
    assert "the program was over after 12 of 20 steps" in done.err


def test_it_stops_after_the_steps_wanted_and_prints_a_table(script: Write) -> None:
    where = script(PROGRAM)
    done = fork_agi(
        "train", "--steps", "3", "--width", "120", "--by", "module", "train.py", cwd=where
    )
    assert done.status == 0
    assert "weights" not in done.out
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["step", "1", "2", "3"]
    assert {"loss", "update/weight", "lr", "nodes", "live"} <= set(lines[2].split())
    assert any(line.startswith("model.layer1 ") for line in lines)
    assert lines[-1].startswith("3 steps · 3 parameters · 0 never updated")


def test_a_pipe_and_csv_have_every_step_of_every_group(script: Write) -> None:
    where = script(PROGRAM)
    done = fork_agi("train", "--csv", "--by", "parameter", "--steps", "4", "train.py", cwd=where)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["step"] for row in rows] == [str(n) for n in range(1, 5) for _ in range(4)]
    assert [row["group"] for row in rows[:4]] == [
        "", "model.layer1.weight", "model.layer2.weight", "model.layer2.bias",
    ]  # fmt: skip
    for whole, *parts in (rows[at : at + 4] for at in range(0, 16, 4)):
        squares = sum(float(part["gradient"]) ** 2 for part in parts)
        assert float(whole["gradient"]) == pytest.approx(squares**0.5)
    piped = fork_agi("train", "--by", "parameter", "--steps", "4", "train.py", cwd=where).out
    head = "step\toptimizer\tgroup\tgradient"
    start = piped.index(head)
    assert len(piped[start:].splitlines()) == 17


def test_faults_are_told_beside_a_table_for_machines(script: Write) -> None:
    where = script(PROGRAM.replace("optimizer.zero_grad()", "pass"))
    done = fork_agi("train", "--csv", "-o", "x.csv", "train.py", cwd=where)
    assert "missing_zero_grad: 11 of 12 steps" in done.err
    found = parsed(fork_agi("train", "--json", "train.py", cwd=where).out)
    [finding] = found["findings"]
    assert (finding["slug"], finding["is_fault"]) == ("missing_zero_grad", True)
    assert any("train.py:" in line for line in finding["evidence"])


def test_a_program_that_fails_ends_as_it_does_and_what_there_was_is_shown(script: Write) -> None:
    where = script(PROGRAM.replace("print(number, repr(loss.item()))", "1 / (number - 2)"))
    plain = run(sys.executable, "train.py", cwd=where)
    done = fork_agi("train", "--width", "100", "train.py", cwd=where)
    assert done.status == plain.status == 1
    assert done.err.startswith(plain.err)
    assert "3 steps" in done.out


@pytest.mark.parametrize(
    ("ending", "status"), [("sys.exit(4)", 4), ("raise KeyboardInterrupt", -2)]
)
def test_exits_and_interrupts_are_the_programs(script: Write, ending: str, status: int) -> None:
    where = script(PROGRAM.replace("print(number, repr(loss.item()))", ending))
    plain = run(sys.executable, "train.py", cwd=where)
    done = run_agi("train", "--width", "100", "train.py", cwd=where)
    assert done.status == plain.status == status
    assert "1 step" in done.out
    assert done.err.startswith(plain.err)


def test_a_traceback_out_of_backward_shows_no_line_of_ours(script: Write) -> None:
    where = script(PROGRAM.replace("loss.backward()", "loss.backward(); loss.backward()"))
    plain = run(sys.executable, "train.py", cwd=where)
    done = fork_agi("train", "-q", "train.py", cwd=where)
    assert plain.status == 1
    assert done.err.startswith(plain.err)
    assert "autograd_inspect" not in done.err


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [
        ("print(1)", 5, "never imported torch"),
        ("import torch", 5, "neither backward nor a step"),
        (
            "import torch; w = torch.ones(2, requires_grad=True); w.sum().backward()",
            5,
            "no step to watch in 1 backward call",
        ),
    ],
)
def test_programs_without_a_step_say_so(
    script: Write, program: str, status: int, said: str
) -> None:
    done = run_agi("train", "train.py", cwd=script(program))
    assert done.status == status
    assert said in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--show", "a b"], "not an expression"),
        (["--plot", "x.gif"], ".png .svg .pdf"),
        (["--plot", "taken.svg"], "exists"),
        (["-o", "taken.svg"], "exists"),
        (["--json", "--csv"], "one at a time"),
        (["--by", "layer"], "'layer'"),
        (["--steps", "0"], "'--steps'"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_program_runs(
    script: Write, options: list[str], said: str
) -> None:
    where = script("print('it ran')")
    (where / "taken.svg").touch()
    done = fork_agi("train", *options, "train.py", cwd=where)
    assert done.status == 2
    assert said in done.err
    assert "it ran" not in done.out


def test_curves_are_drawn_where_the_program_was_started(script: Write) -> None:
    where = script(PROGRAM.replace("print(number", "import os; os.chdir('/'); print(number"))
    done = fork_agi("train", "--plot", "x.svg", "-o", "x.json", "train.py", cwd=where)
    assert done.status == 0, done.err
    drawn = (where / "x.svg").read_text("utf-8")
    assert drawn.startswith("<?xml") and "update / weight" in drawn and "loss" in drawn
    assert parsed((where / "x.json").read_text("utf-8"))["seen"] == 12


def test_numbers_that_are_not_finite_are_strings_in_json(script: Write) -> None:
    where = script(
        PROGRAM.replace("optimizer.zero_grad()", "optimizer.zero_grad(); loss = loss / 0")
    )
    found = parsed(fork_agi("train", "--json", "--steps", "2", "train.py", cwd=where).out)
    assert found["rows"][0]["losses"][0]["value"] == "inf"
    assert [finding["slug"] for finding in found["findings"]] == ["not_finite"]


def test_a_root_to_trace_is_refused_in_favour_of_values_to_show(script: Write) -> None:
    done = fork_agi("train", "train.py:loss", cwd=script("print('it ran')"))
    assert (done.status, done.out) == (2, "")
    assert "--show" in done.err


def test_an_option_of_ours_behind_the_target_belongs_to_the_program(script: Write) -> None:
    where = script("import sys; print(sys.argv[1:])")
    assert "['--steps', '3']" in fork_agi("train", "train.py", "--steps", "3", cwd=where).out
