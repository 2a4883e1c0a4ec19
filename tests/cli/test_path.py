"""`agi path` and `agi show --cuts`: which tensor, which form, and what is said where."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build import make_capture, make_gradients, make_graph
from flow import CutMade, with_cuts
from forking import fork_agi
from process import run_agi

from autograd_inspect import store
from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Reason

Write = Callable[..., Path]

#: Seven blocks, each of which adds what it computed to what it was given: 128 paths.
BLOCKS = " ".join(
    f"add{n}>sin{n} add{n}>add{n + 1} sin{n}>add{n + 1}" if n < 7 else "add7>net.weight"
    for n in range(8)
)


def capture(recording: Recording = Recording.FULL) -> Capture:
    """Make a capture of the blocks, with a parameter that a cut keeps from the root."""
    cut = CutMade(
        "Tensor.detach", CutKind.DETACH, place="train.py:14 step", leaves=("net.cut.weight",)
    )
    made = make_capture(with_cuts(make_graph(BLOCKS), [cut]), recording=recording)
    gradients = make_gradients(["net.weight", "net.cut.weight", "net.spare.weight"])
    reasons = np.array([Reason.ARRIVED, Reason.NOT_REACHED, Reason.NOT_REACHED], np.uint8)
    return replace(
        made, gradients=replace(gradients, table=replace(gradients.table, reason=reasons))
    )


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A directory with a capture that recorded cuts, and one that did not."""
    store.save(capture(), store.new_path(tmp_path / ".agi", "train"))
    store.save(capture(Recording.LIGHT), tmp_path / "light.agi")
    return tmp_path


def test_in_a_pipe_the_table_is_the_result_and_the_count_a_remark(where: Path) -> None:
    done = fork_agi("path", "net.weight", cwd=where)
    assert done.status == 0
    assert "128 paths of 9 to 16 nodes" in done.err
    heading, *rows = done.out.splitlines()
    assert heading.split("\t")[:3] == ["path", "node", "op"]
    assert len([row for row in rows if row.startswith("trunk\t")]) == 9


def test_with_a_width_it_is_written_for_people(where: Path) -> None:
    done = fork_agi("path", "net.weight", "--width", "60", cwd=where)
    assert done.out.startswith("net.weight → add0: 128 paths of 9 to 16 nodes\n")
    assert "… 2 paths through 1 node\n" in done.out
    assert done.err == ""
    plain = fork_agi("path", "net.weight", "--width", "60", "--ascii", cwd=where)
    assert plain.out.isascii()


def test_top_says_how_many_are_written_in_full(where: Path) -> None:
    every = json.loads(fork_agi("path", "net.weight", "--json", "-n", "128", cwd=where).out)
    assert (every["count"], len(every["paths"])) == (128, 128)
    none = json.loads(fork_agi("path", "net.weight", "--json", "-n", "127", cwd=where).out)
    assert (none["count"], none["paths"]) == (128, [])


def test_no_path_is_an_answer_with_the_cut_if_there_is_one(where: Path) -> None:
    done = fork_agi("path", "cut.weight", cwd=where)
    assert done.status == 0
    assert done.out.splitlines() == [
        "net.cut.weight: not reached from the root",
        "cut at train.py:14: Tensor.detach detaches it from the graph",
    ]
    spare = fork_agi("path", "spare.weight", cwd=where)
    assert (spare.status, spare.out) == (0, "net.spare.weight: not reached from the root\n")
    assert "no place was recorded that cut it off" in spare.err


def test_where_cuts_were_not_recorded_it_says_how_to(where: Path) -> None:
    done = fork_agi("path", "spare.weight", "light.agi", cwd=where)
    assert done.status == 0
    assert "agi trace --watch train.py:loss" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("path", "net.wieght"), "did you mean net.weight"),
        (("path", "weight"), "net.cut.weight, net.spare.weight"),
        (("path", "#999"), "no such node"),
        (("path", "net.weight", "-n", "-1"), "-n"),
        (("path",), "LEAF"),
        (("show", "--cuts", "light.agi"), "agi trace --watch train.py:loss"),
        (("show", "--cuts", "--json", "light.agi"), "agi trace --watch train.py:loss"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_answered_is_status_2(
    where: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = fork_agi(*arguments, cwd=where)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_cuts_are_a_list_a_table_or_an_object(where: Path) -> None:
    heading, row = fork_agi("show", "--cuts", cwd=where).out.splitlines()
    assert dict(zip(heading.split("\t"), row.split("\t"), strict=True))["line"] == "14"
    people = fork_agi("show", "--cuts", "--width", "80", cwd=where).out
    assert people.startswith("1 place cut the graph, 0 on the way to the root\n")
    found = json.loads(fork_agi("show", "--cuts", "--json", cwd=where).out)
    assert found["cuts"][0]["leaves"] == ["net.cut.weight"]


def test_show_json_is_the_graph_as_render_gives_it(where: Path) -> None:
    shown = fork_agi("show", "--json", cwd=where)
    assert shown.out == fork_agi("render", "--json", cwd=where).out
    assert json.loads(shown.out)["cuts"][0]["kind"] == "detach"


def test_reading_paths_does_not_import_torch(where: Path) -> None:
    (where / "sitecustomize.py").write_text(
        "import sys\nsys.modules['torch'] = None  # importing it is an error\n"
    )
    for arguments in (["path", "net.weight"], ["show", "--cuts"], ["show", "--json"]):
        done = run_agi(*arguments, cwd=where, PYTHONPATH=str(where))
        assert done.status == 0, done.err


def test_a_program_is_run_first_and_cuts_are_watched_for_where_they_are_asked_for(
    script: Write,
) -> None:
    where = script(
        """
        import torch
        from torch import nn
        torch.manual_seed(0)
        net, cut = nn.Linear(3, 2), nn.Linear(3, 2)
        x = torch.ones(4, 3)
        loss = (net(x) * cut(x).detach()).sum()
        print("the program speaks")
        loss.backward()
        """
    )
    found = json.loads(fork_agi("path", "net.weight", "train.py:loss", "--json", cwd=where).out)
    assert [step["title"] for step in found["paths"][0]] == [
        *("AccumulateGrad", "t", "addmm", "mul", "sum"),
    ]
    assert {step["place"]["line"] for step in found["paths"][0]} == {7}
    assert found["paths"][0][2]["module"] == "net"
    assert found["paths"][0][0]["norm"] > 0
    listed = json.loads(fork_agi("show", "--cuts", "--json", "train.py:loss", cwd=where).out)
    (detached,) = [cut for cut in listed["cuts"] if cut["op"] == "Tensor.detach"]
    assert (detached["reaches"], detached["leaves"]) == (True, ["cut.bias", "cut.weight"])
    lost = fork_agi("path", "cut.weight", cwd=where)  # of the capture that was just made
    assert "cut at train.py:7: Tensor.detach" in lost.out
