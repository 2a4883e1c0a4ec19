"""The verbs that read a capture: `show`, `grads`, `render`, `ls`, `info`, and their options."""

from __future__ import annotations

import csv
import io
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from build import make_capture, make_gradients, make_graph
from forking import fork_agi
from process import run_agi

from autograd_inspect import store
from autograd_inspect.model.capture import About, Capture

Write = Callable[..., Path]

#: A program whose capture a test reads again and again.
PROGRAM = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 1))
    spare = nn.Linear(2, 2)
    loss = net(torch.randn(5, 3)).pow(2).mean()
    print("the program speaks")
    loss.backward()
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture made by hand, as the last one of a directory; gives the directory."""
    graph = make_graph("loss>mul mul>a mul>b")
    about = About(target="train.py", expression="loss")
    capture = Capture(graph, make_gradients(["a", "b"]), about)
    store.save(capture, store.new_path(tmp_path / ".agi", "train"))
    return tmp_path


def test_show_prints_what_trace_printed(script: Write) -> None:
    where = script(PROGRAM)
    traced = fork_agi("trace", "train.py:loss", cwd=where)
    shown = fork_agi("show", cwd=where)
    assert traced.out == "the program speaks\n" + shown.out


def test_show_all_and_depth(capture: Path) -> None:
    everything = fork_agi("show", "--all", cwd=capture).out
    assert "◆ a" in everything
    assert "◆ AccumulateGrad a" in fork_agi("show", "--tree", "--all", cwd=capture).out
    shallow = fork_agi("show", "--tree", "--depth", "1", cwd=capture).out
    assert "◆ AccumulateGrad a" not in shallow
    assert "4 nodes" in shallow
    assert "2 nodes" in shallow or "2 more" in shallow or "deeper" in shallow


def test_show_refuses_what_it_cannot_do_in_one_line(capture: Path) -> None:
    for options, said in (
        (("--columns", "saves"), "agi: no column saves"),
        (("--tree", "--path", "a"), "agi: a tree has every node in it"),
        (("--tui",), "agi: --tui needs a terminal"),
    ):
        done = fork_agi("show", *options, cwd=capture)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(said)


def test_show_without_unicode(capture: Path) -> None:
    assert fork_agi("show", "--ascii", cwd=capture).out.isascii()
    assert run_agi("show", cwd=capture, PYTHONIOENCODING="ascii").out.isascii()


def test_grads_in_a_pipe_is_tab_separated_and_complete(script: Write) -> None:
    where = script(PROGRAM)
    done = fork_agi("grads", "train.py:loss", cwd=where)
    spoken, heading, *rows = done.out.splitlines()
    assert spoken == "the program speaks"
    names = heading.split("\t")
    table = {row.split("\t")[0]: dict(zip(names, row.split("\t"), strict=True)) for row in rows}
    assert set(table) == {
        *("net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"),
        *("spare.weight", "spare.bias"),
    }
    assert table["spare.weight"]["reason"] == "not reached from the root"
    as_json = json.loads(fork_agi("grads", "--json", cwd=where).out)
    assert as_json["schema"] == "agi.grads/1"
    by_name = {row["name"]: row for row in as_json["rows"]}
    for name, row in table.items():
        if row["norm"]:
            assert float(row["norm"]) == by_name[name]["norm"]
    as_csv = list(csv.DictReader(io.StringIO(fork_agi("grads", "--csv", cwd=where).out)))
    assert [row["name"] for row in as_csv] == list(by_name)


def test_a_programs_output_does_not_mix_with_json(script: Write) -> None:
    done = fork_agi("grads", "train.py:loss", "--json", cwd=script(PROGRAM))
    assert json.loads(done.out)["capture"]["expression"] == "loss"
    assert "the program speaks" in done.err


def test_grads_sorts_cuts_and_writes_files(capture: Path) -> None:
    first = fork_agi("grads", "--sort", "norm", "--top", "1", "--csv", cwd=capture)
    assert [line.split(",")[0] for line in first.out.splitlines()] == ["name", "b"]
    done = fork_agi("grads", "-o", "x.json", cwd=capture)
    assert "wrote x.json" in done.err
    assert len(json.loads((capture / "x.json").read_text())["rows"]) == 2
    assert fork_agi("grads", "-o", "x.json", cwd=capture).status == 2


@pytest.mark.parametrize(
    ("conditions", "status"), [("nan", 0), ("none", 1), ("nan,inf", 0), ("zero,none", 1)]
)
def test_fail_on(script: Write, conditions: str, status: int) -> None:
    where = script("import torch\nfrom torch import nn\n")
    (where / "train.py").write_text(
        "import torch\nfrom torch import nn\nused, unused = nn.Linear(1, 1), nn.Linear(1, 1)\n"
        "used(torch.ones(1, 1)).sum().backward()\n"
    )
    done = fork_agi("grads", "train.py", "--fail-on", conditions, cwd=where)
    assert done.status == status
    assert ("unused.weight has no gradient" in done.err) == bool(status)


@pytest.mark.parametrize(
    "arguments",
    [
        ("grads", "--sort", "nrm"),
        ("grads", "--fail-on", "nam"),
        ("grads", "--json", "--csv"),
        ("render", "--svg", "--dot"),
        ("render", "-o", "x.tiff"),
        ("render", "-o", "nowhere/x.svg"),
        ("show", "none.agi"),
        ("show", "--depth", "-1"),
        ("show", "no_such.py"),
        ("shwo",),
        ("trace",),
        ("trace", "-m", "no_such_module"),
        ("trace", "--save-on-signal", "NOPE", "-c", "1"),
        ("trace", "--grad-output", "a +", "-c", "1"),
    ],
    ids=" ".join,
)
def test_bad_words_are_status_2_and_no_traceback(capture: Path, arguments: tuple[str, ...]) -> None:
    done = fork_agi(*arguments, cwd=capture)
    assert done.status == 2
    assert "Traceback" not in done.err
    assert done.err
    assert done.out == ""


def test_no_capture_yet(tmp_path: Path) -> None:
    for verb in ("show", "grads", "render", "info"):
        done = fork_agi(verb, cwd=tmp_path)
        assert (done.status, done.err.startswith("agi: no capture here yet")) == (2, True)
    assert fork_agi("ls", cwd=tmp_path).status == 0
    assert not (tmp_path / ".agi").exists()


def test_a_damaged_capture_is_one_line(capture: Path) -> None:
    path = next(capture.glob(".agi/*.agi"))
    path.write_bytes(path.read_bytes()[:-100])
    done = fork_agi("show", cwd=capture)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert "trace it again: agi trace train.py:loss" in done.err


def test_render_to_a_pipe_and_to_files(capture: Path) -> None:
    piped = fork_agi("render", cwd=capture)
    assert ET.fromstring(piped.out).tag.endswith("svg")
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "html": b"<!", "json": b"{", "dot": b"digraph"}
    for extension, start in starts.items():
        done = fork_agi("render", "-o", f"x.{extension}", cwd=capture)
        assert (done.status, done.err) == (0, f"wrote x.{extension}\n")
        assert (capture / f"x.{extension}").read_bytes().startswith(start)
    assert "flowchart" in fork_agi("render", "--mermaid", cwd=capture).out


def test_render_falls_back_where_there_is_no_graphviz(capture: Path) -> None:
    done = run_agi("render", "--engine", "dot", "-o", "x.svg", cwd=capture, PATH="")
    assert done.status == 0
    assert "drawn by our own layout" in done.err
    assert (capture / "x.svg").exists()


def test_a_large_graph_is_limited_and_says_so(tmp_path: Path) -> None:
    graph = make_graph(" ".join(f"n{i}>n{i + 1}" for i in range(1000)))
    store.save(make_capture(graph), tmp_path / "x.agi")
    done = fork_agi("render", "x.agi", "--dot", "--limit", "50", cwd=tmp_path)
    assert "50 of 1,001 nodes" in done.out
    whole = fork_agi("render", "x.agi", "--dot", "--all", cwd=tmp_path)
    assert whole.out.count("->") >= 1000


def test_render_shows_what_is_asked_for(capture: Path) -> None:
    asked = ("--path", "a", "--exclude", "loss", "--limit", "9", "--dot")
    text = fork_agi("render", *asked, cwd=capture).out
    assert ("mul" in text, '"b"' in text, text.count("1 more node")) == (True, False, 2)
    done = fork_agi("render", "--focus", "nobody", cwd=capture)
    assert (done.status, done.out) == (2, "")
    assert "nobody: no tensor of the capture goes by this name" in done.err


def test_options_come_from_the_file_then_the_environment_then_the_flag(capture: Path) -> None:
    (capture / "pyproject.toml").write_text("[tool.agi.grads]\ncsv = true\nsort = 'name'\n")
    assert fork_agi("grads", cwd=capture).out.startswith("name,")
    done = run_agi("grads", cwd=capture, AGI_GRADS_SORT="norm")
    assert done.out.splitlines()[1].startswith("b,")
    done = run_agi("grads", "--sort", "name", cwd=capture, AGI_GRADS_SORT="norm")
    assert done.out.splitlines()[1].startswith("a,")
    (capture / "pyproject.toml").write_text("[tool.agi.grads]\nsorted = 'name'\n")
    done = fork_agi("grads", cwd=capture)
    assert (done.status, "did you mean 'sort'" in done.err) == (2, True)


def test_info_and_ls(capture: Path) -> None:
    facts = json.loads(fork_agi("info", cwd=capture).out)
    assert (facts["schema"], facts["nodes"], facts["target"]) == ("agi.info/1", 4, "train.py")
    assert "4 nodes\ttrain.py:loss" in fork_agi("ls", cwd=capture).out


def test_reading_does_not_import_torch(capture: Path) -> None:
    (capture / "sitecustomize.py").write_text(
        "import sys\nsys.modules['torch'] = None  # importing it is an error\n"
    )
    for arguments in (["show"], ["grads"], ["info"], ["ls"], ["render"], ["render", "--json"]):
        done = run_agi(*arguments, cwd=capture, PYTHONPATH=str(capture))
        assert done.status == 0, done.err


def test_help_and_version(tmp_path: Path) -> None:
    done = fork_agi("--help", cwd=tmp_path)
    assert done.status == 0
    assert all(
        verb in done.out for verb in ("trace", "show", "render", "grads", "path", "ls", "info")
    )
    assert fork_agi("-V", cwd=tmp_path).out.startswith("agi 0.")
    assert fork_agi(cwd=tmp_path).status == 2


def test_nan_is_nan_in_json(script: Write) -> None:
    where = script(
        "import torch\nx = torch.zeros(2, requires_grad=True)\n(x.sqrt() * 0).sum().backward()\n"
    )
    rows = json.loads(fork_agi("grads", "train.py", "--json", cwd=where).out)["rows"]
    assert (rows[0]["norm"], rows[0]["nan"]) == ("nan", 2)
    assert math.isnan(float(rows[0]["norm"]))
    assert fork_agi("grads", "--fail-on", "nan", cwd=where).status == 1
