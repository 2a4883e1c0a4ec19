"""`agi memory` in a process of its own, on captures and on programs."""

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
from hookcount import __file__ as counter
from process import Done, run

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS

Write = Callable[..., Path]

pytestmark = pytest.mark.skipif(
    not SHOWS_SAVED_TENSORS, reason="this torch does not show saved tensors"
)

PROGRAM = """
    import torch
    from torch import nn
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.second = nn.Linear(4, 1)

        def forward(self, x):
            hidden = self.first(x).relu()
            return self.second(hidden)

    net = Net()
    batch = torch.randn(5, 3)
    out = net(batch)
    loss = out.square().mean()
    print("the program speaks")
    loss.backward()
"""

#: By hand, in bytes: the batch 60, hidden 80, out 20, the second weight 16.
UNIQUE = {"batch": 60, "hidden": 80, "out": 20, "weight": 16}

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.py"))
#: What fails before it has a graph, or has none.
NOT_COUNTED = {"inplace_on_leaf", "nothing_to_trace"}


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the program's capture in it."""
    import textwrap

    where = tmp_path_factory.mktemp("captured")
    (where / "train.py").write_text(textwrap.dedent(PROGRAM), "utf-8")
    assert fork_agi("trace", "-q", "train.py:loss", cwd=where).status == 0
    return where


def as_json(done: Done) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


def rows(where: Path, by: str) -> dict[str, int]:
    found = as_json(fork_agi("memory", "--json", "--by", by, cwd=where))
    return {row["name"]: row["unique"] for row in found["rows"]}


def test_by_operation_in_a_pipe(captured: Path) -> None:
    lines = fork_agi("memory", cwd=captured).out.splitlines()
    heading, *values = [line.split("\t") for line in lines]
    table = {line[0]: dict(zip(heading, line, strict=True)) for line in values}
    assert {name: int(row["unique"]) for name, row in table.items()} == {
        "addmm": UNIQUE["batch"] + UNIQUE["weight"],
        "relu": UNIQUE["hidden"],
        "pow": UNIQUE["out"],
    }
    # `hidden` is kept by `relu`, and once more by the second `addmm`.
    assert int(table["addmm"]["total"]) == UNIQUE["batch"] + UNIQUE["weight"] + UNIQUE["hidden"]
    assert lines[1].startswith("relu\t")


def test_by_module_line_and_tensor(captured: Path) -> None:
    assert rows(captured, "module") == {
        "net": UNIQUE["hidden"],
        "first": UNIQUE["batch"],
        "(outside modules)": UNIQUE["out"],
        "second": UNIQUE["weight"],
    }
    assert rows(captured, "line") == {
        "train.py:13": UNIQUE["batch"] + UNIQUE["hidden"],
        "train.py:14": UNIQUE["weight"],
        "train.py:19": UNIQUE["out"],
    }
    by_tensor = rows(captured, "tensor")
    assert sorted(by_tensor.values()) == sorted(UNIQUE.values())
    assert by_tensor["net.second.weight"] == UNIQUE["weight"]
    assert by_tensor["out"] == UNIQUE["out"]
    assert by_tensor["hidden"] == UNIQUE["hidden"]


def test_the_totals_stand_against_parameters_and_gradients(captured: Path) -> None:
    found = as_json(fork_agi("memory", "--json", cwd=captured))
    assert found["schema"] == "agi.memory/1"
    totals = found["totals"]
    assert totals["unique"] == sum(UNIQUE.values())
    assert (totals["parameters"], totals["inputs"], totals["activations"]) == (16, 60, 100)
    assert totals["program"] == {"parameters": 4 * (12 + 4 + 4 + 1), "gradients": 0}


def test_a_table_for_a_terminal(captured: Path) -> None:
    done = fork_agi("memory", "--width", "100", "--by", "line", cwd=captured)
    assert done.out.splitlines()[1].split()[:2] == ["train.py:13", "2"]
    assert "176 B held" in done.out
    assert "\x1b" not in done.out


def test_top_csv_and_a_file(captured: Path) -> None:
    done = fork_agi("memory", "--csv", "-n", "1", cwd=captured)
    assert [row["name"] for row in csv.DictReader(io.StringIO(done.out))] == ["relu"]
    (captured / "taken.csv").write_text("mine", "utf-8")
    refused = fork_agi("memory", "-o", "taken.csv", cwd=captured)
    assert (refused.status, (captured / "taken.csv").read_text("utf-8")) == (2, "mine")
    written = fork_agi("memory", "-o", "m.json", cwd=captured)
    assert "wrote m.json" in written.err
    assert json.loads((captured / "m.json").read_text("utf-8"))["by"] == "op"


def test_a_wrong_grouping_is_refused_before_the_program_runs(captured: Path) -> None:
    done = fork_agi("memory", "--by", "colour", "train.py", cwd=captured)
    assert done.status == 2
    assert "speaks" not in done.out + done.err
    assert "module" in done.err


def test_a_program_is_run_first_and_its_output_kept_apart(script: Write) -> None:
    where = script(PROGRAM)
    done = fork_agi("memory", "--json", "train.py:loss", cwd=where)
    assert as_json(done)["totals"]["unique"] == sum(UNIQUE.values())
    assert "the program speaks" in done.err


def test_after_a_backward_nothing_is_held_and_that_is_said(script: Write) -> None:
    where = script("""
        import torch
        x = torch.ones(3, requires_grad=True)
        loss = x.exp().sin().sum()
        loss.backward()
    """)
    done = fork_agi("memory", "--width", "80", "-e", "loss.clone()", "train.py", cwd=where)
    assert done.status == 0
    assert "nothing is held any more: 2 saved tensors were freed" in done.err
    assert "0 B" not in done.out


HOOKED = """
    import torch
    from torch.utils.checkpoint import checkpoint
    calls = {"pack": 0, "unpack": 0, "run": 0}

    def pack(tensor):
        calls["pack"] += 1
        return "packed", tensor

    def unpack(packed):
        calls["unpack"] += 1
        return packed[1]

    def block(x):
        calls["run"] += 1
        return x.sin().exp()

    x = torch.ones(4, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        first = x.exp()
    loss = (first + checkpoint(block, x, use_reentrant=False)).sum()
    print(calls)
    loss.backward()
    print(calls)
"""


def test_nothing_is_unpacked_or_run_again_by_looking(script: Write) -> None:
    where = script(HOOKED)
    plain = run(sys.executable, "train.py", cwd=where)
    traced = fork_agi("trace", "-q", "--keep-running", "train.py:loss", cwd=where)
    assert traced.out == plain.out
    assert "'unpack': 0" in plain.out.splitlines()[0]
    for by in ("op", "module", "line", "tensor"):
        assert fork_agi("memory", "--by", by, cwd=where).status == 0
    totals = as_json(fork_agi("memory", "--json", cwd=where))["totals"]
    assert {one["packer"]: one["held"] for one in totals["packed"]} == {
        "checkpoint": 0,
        "unpack": 16,
    }


counted = [path for path in SAMPLES if path.stem not in NOT_COUNTED]


@pytest.fixture(scope="module")
def hook_counts(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Any]:
    """What pack hooks were given of each sample, all counted in one process."""
    where = tmp_path_factory.mktemp("counted")
    done = run(sys.executable, counter, *map(str, counted), cwd=where)
    return dict(zip(counted, map(json.loads, done.out.splitlines()), strict=True))


@pytest.mark.parametrize("sample", counted, ids=lambda path: path.stem)
def test_every_sample_holds_what_pack_hooks_were_given(
    sample: Path, hook_counts: dict[Path, Any], tmp_path: Path
) -> None:
    expected = hook_counts[sample]
    # One sample fails in its backward, as it is to show.
    done = fork_agi("memory", "--json", str(sample), cwd=tmp_path)
    totals = json.loads(done.out)["totals"]
    assert totals["unseen"] == 0
    assert totals["tensors"] == expected["tensors"] + expected["packed"]
    assert totals["storages"] == expected["storages"]
    assert totals["unique"] == expected["bytes"]
