"""`agi profile` in a process of its own, on captures and on programs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forking import fork_agi
from process import Done, run

import autograd_inspect
from autograd_inspect.analyses.words import TIME_GROUPINGS
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind

Write = Callable[..., Path]

ROOT = Path(__file__).parents[2]
GPT = ROOT / "benchmarks" / "gpt.py"

PROGRAM = """
    import os, sys, torch
    from torch import nn
    torch.manual_seed(0)

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * g * x

    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(3):
        loss = Square.apply(net(torch.randn(5, 3))).mean()
        print(step, loss.item(), "KINETO_LOG_LEVEL" in os.environ)
        loss.backward()
        print([p.grad.norm().item() for p in net.parameters()], torch.rand(1).item())
        optimizer.step()
        optimizer.zero_grad()
    print("to the end", file=sys.stderr)
"""


def as_json(done: Done) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a profile of the third step, and all files that it can be written to."""
    where = tmp_path_factory.mktemp("profiled")
    (where / "train.py").write_text(textwrap.dedent(PROGRAM), "utf-8")
    files = ("--chrome", "trace.json.gz", "--speedscope", "flame.json", "-o", "times.json")
    done = fork_agi("profile", "--step", "3", *files, "train.py:loss", cwd=where)
    assert done.status == 0
    assert done.err.splitlines() == [
        "wrote times.json",
        "wrote flame.json: open it at https://www.speedscope.app",
        "wrote trace.json.gz: open it at https://ui.perfetto.dev",
    ]
    return where


def last_graph(where: Path) -> Graph:
    (path,) = (where / ".agi").glob("*.agi")
    return autograd_inspect.load(path).graph


def assert_linked(graph: Graph) -> None:
    """Check that every node has its backward, and its forward where it is no leaf."""
    table = graph.time_table
    for node in graph.nodes:
        assert table.backward[node.index] > 0, node
        assert (int(table.forward[node.index]) >= 0) is (node.kind is not Kind.LEAF), node


def test_every_node_is_linked(profiled: Path) -> None:
    assert_linked(last_graph(profiled))


def test_the_table_in_all_forms(profiled: Path) -> None:
    written = json.loads((profiled / "times.json").read_text("utf-8"))
    assert written["schema"] == "agi.profile/1"
    totals = written["totals"]
    assert totals["step"] == 3
    assert totals["linked"] == totals["nodes"] == len(last_graph(profiled))
    assert totals["wall"]["backward"] > totals["backward"] > 0
    assert {row["name"] for row in written["rows"]} == {
        *("addmm", "t", "mul", "Square", "mean", "AccumulateGrad")
    }
    outside = {one["name"] for one in written["outside"]}
    assert "randn" in outside  # the batch
    assert sum(row["share"] for row in written["rows"] + written["outside"]) == pytest.approx(1)
    lines = list(csv.reader(io.StringIO(fork_agi("profile", "--csv", cwd=profiled).out)))
    assert [line[0] for line in lines] == [
        *("name", *(row["name"] for row in written["rows"]), "(outside the graph)")
    ]
    tabbed = fork_agi("profile", cwd=profiled).out
    assert [line.split("\t") for line in tabbed.splitlines()] == lines
    drawn = fork_agi("profile", "--width", "100", cwd=profiled).out
    assert drawn.splitlines()[0].split() == [
        *("op", "calls", "forward", "backward", "time", "share", "memory")
    ]


def test_groupings_tell_the_same_of_the_last_capture(profiled: Path) -> None:
    sums = set()
    for by in TIME_GROUPINGS:
        found = as_json(fork_agi("profile", "--json", "--by", by, cwd=profiled))
        sums.add(sum(row["time"] for row in found["rows"]))
    assert len(sums) == 1
    found = as_json(fork_agi("profile", "--json", "--by", "module", "-n", "9", cwd=profiled))
    whole = {row["name"]: row for row in found["rows"]}
    parts = sum(whole[name]["time"] for name in ("net", "0", "1", "2") if name in whole)
    assert whole["net"]["total"] == parts


def test_the_trace_of_torchs_own_knows_the_nodes(profiled: Path) -> None:
    trace = json.loads(gzip.decompress((profiled / "trace.json.gz").read_bytes()))
    events = [one for one in trace["traceEvents"] if "autograd node" in one.get("args", {})]
    graph = last_graph(profiled)
    found = Counter(one["args"]["autograd node"] for one in events)
    operations = {n.index for n in graph.nodes if n.kind is not Kind.LEAF}
    assert set(found) == set(range(len(graph)))
    assert {number for number, times in found.items() if times == 2} == operations
    (addmm, *_) = [one for one in events if one["name"] == "aten::addmm"]
    assert addmm["args"]["autograd line"].startswith("train.py:")
    assert addmm["args"]["autograd module"] == "net.0"


def test_the_flame_graph_is_as_speedscope_has_it(profiled: Path) -> None:
    """By the rules of https://www.speedscope.app/file-format-schema.json."""
    file = json.loads((profiled / "flame.json").read_text("utf-8"))
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert set(file) >= {"$schema", "shared", "profiles"}
    frames = file["shared"]["frames"]
    for frame in frames:
        assert type(frame["name"]) is str
        assert set(frame) <= {"name", "file", "line", "col"}
        assert type(frame.get("line", 0)) is int
    assert [one["name"] for one in file["profiles"]] == ["forward", "backward"]
    for one in file["profiles"]:
        assert (one["type"], one["unit"], one["startValue"]) == ("sampled", "nanoseconds", 0)
        assert len(one["samples"]) == len(one["weights"]) > 0
        assert one["endValue"] == sum(one["weights"])
        assert min(one["weights"]) > 0
        assert {row for sample in one["samples"] for row in sample} <= set(range(len(frames)))
    times = json.loads((profiled / "times.json").read_text("utf-8"))
    ends = sum(one["endValue"] for one in file["profiles"])
    assert ends == times["totals"]["time"] + times["totals"]["outside"]


def test_the_program_is_left_as_it_is(script: Write) -> None:
    where = script(PROGRAM)
    plain = run(sys.executable, "train.py", cwd=where)
    for step in ("1", "2"):
        seen = fork_agi("profile", "--step", step, "--keep-running", "train.py", cwd=where)
        table = seen.out.removeprefix(plain.out)
        assert table != seen.out
        assert table.startswith("name\tcalls\t")
        remark = "agi: the first step includes warm-up; --step 3 times a later one\n"
        assert seen.err == plain.err + (remark if step == "1" else "")


def test_a_failing_backward_fails_as_without_us(script: Write) -> None:
    where = script("""
        import torch

        x = torch.ones(3, requires_grad=True)
        loss = x.sigmoid()
        loss.add_(1)
        loss.sum().backward()
    """)
    plain = run(sys.executable, "train.py", cwd=where)
    seen = fork_agi("profile", "train.py", cwd=where)
    assert seen.status == plain.status == 1
    assert plain.err in seen.err


@pytest.mark.parametrize(
    "sample", ["many_steps", "small_gpt", "custom_function", "shared_weights", "called_again"]
)
def test_every_node_of_the_samples_is_linked(sample: str, tmp_path: Path) -> None:
    done = fork_agi("profile", "--json", f"{ROOT / 'samples' / sample}.py:loss", cwd=tmp_path)
    totals = as_json(done)["totals"]
    assert totals["linked"] == totals["nodes"]
    assert_linked(last_graph(tmp_path))


def test_every_node_of_a_larger_model_is_linked(tmp_path: Path) -> None:
    fork_agi("profile", "--step", "2", "--json", f"{GPT}:loss", "64", "3", cwd=tmp_path)
    graph = last_graph(tmp_path)
    assert len(graph) > 700
    assert_linked(graph)


HIDDEN = """
    import torch
    from torch.utils.checkpoint import checkpoint
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4))
    x = torch.rand(3, 4, requires_grad=True)
    once = checkpoint(net, x, use_reentrant=True)
    loss = checkpoint(net, once, use_reentrant=False).sum()
    loss.backward()
"""


def test_what_a_checkpoint_runs_again_is_the_backward_of_its_nodes(script: Write) -> None:
    where = script(HIDDEN)
    found = as_json(fork_agi("profile", "--json", "train.py:loss", cwd=where))
    graph = last_graph(where)
    assert_linked(graph)
    (outer,) = [node.index for node in graph.nodes if node.kind is Kind.CHECKPOINT]
    # Within its evaluation the leaves of its block are evaluated, which the graph has, too.
    table = graph.time_table
    assert table.backward_total[outer] > table.backward[outer] > 0
    assert not any("Backward" in one["name"] for one in found["outside"])


COMPILED = """
    import torch
    net = torch.compile(torch.nn.Linear(4, 1), backend="aot_eager")
    loss = net(torch.rand(3, 4)).sum()
    loss.backward()
"""
THREADS = """
    import torch, threading
    w = torch.rand(5, 5, requires_grad=True)
    parts = [None, None]
    def work(k):
        parts[k] = (w * (k + 2)).relu() if k else (w @ w).relu()
    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for one in threads: one.start()
    for one in threads: one.join()
    loss = (parts[0] + parts[1]).sum()
    loss.backward()
"""
OWN_PROFILE = """
    import torch
    w = torch.rand(5, 5, requires_grad=True)
    half = (w @ w).relu()
    with torch.autograd.profiler.profile() as profile:
        loss = half.sum()
        loss.backward()
    print(sorted(one.key for one in profile.key_averages())[0])
"""
SECOND_ORDER = """
    import torch
    w = torch.rand(5, 5, requires_grad=True)
    (g,) = torch.autograd.grad((w**3).sum(), w, create_graph=True)
    loss = (g * w).sum()
    loss.backward()
"""


@pytest.mark.parametrize(
    ("program", "options"),
    [
        pytest.param(COMPILED, (), id="compiled"),
        pytest.param(THREADS, ("--all-threads",), id="threads"),
        pytest.param(OWN_PROFILE, (), id="own-profile"),
        pytest.param(SECOND_ORDER, (), id="second-order"),
    ],
)
def test_every_node_is_linked_in(script: Write, program: str, options: tuple[str, ...]) -> None:
    where = script(program)
    as_json(fork_agi("profile", "--json", *options, "train.py:loss", cwd=where))
    assert_linked(last_graph(where))


def test_a_profile_of_the_programs_own_stays_its_own(script: Write) -> None:
    where = script(OWN_PROFILE)
    plain = run(sys.executable, "train.py", cwd=where, KINETO_LOG_LEVEL="99")
    seen = fork_agi("profile", "--keep-running", "train.py", cwd=where)
    assert seen.out.startswith(plain.out)
    assert plain.err in seen.err
    assert "a profile of its own" in seen.err


def test_without_a_backward_ours_is_timed(script: Write) -> None:
    where = script("""
        import torch
        w = torch.rand(5, 5, requires_grad=True)
        loss = (w @ w).sum()
    """)
    done = fork_agi("profile", "train.py:loss", cwd=where)
    assert done.status == 0
    assert "agi: 1 of 3 nodes did not run meanwhile" in done.err  # nothing is accumulated
    table = last_graph(where).time_table
    assert [figure > 0 for figure in table.backward.tolist()] == [True, True, False]
    assert [figure > 0 for figure in table.forward.tolist()] == [True, True, False]


def test_backward_on_a_thread_that_is_not_timed(script: Write) -> None:
    where = script("""
        import torch, threading
        def work():
            w = torch.rand(5, 5, requires_grad=True)
            (w @ w).sum().backward()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """)
    done = fork_agi("profile", "train.py", cwd=where)
    assert (done.status, done.out) == (2, "")
    assert "agi: nothing timed: backward ran on another thread" in done.err
    assert "--all-threads" in done.err


def test_what_cannot_be_done(profiled: Path, tmp_path: Path) -> None:
    done = fork_agi("profile", "--chrome", "t.json", cwd=profiled)
    assert (done.status, done.out) == (2, "")
    assert "torch writes its trace of a program that runs" in done.err
    done = fork_agi("profile", "--speedscope", "flame.json", cwd=profiled)
    assert (done.status, "flame.json exists" in done.err) == (2, True)
    assert fork_agi("trace", "-q", str(profiled / "train.py"), cwd=tmp_path).status == 0
    done = fork_agi("profile", cwd=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "agi: this capture has no times" in done.err
    assert "agi profile" in done.err
