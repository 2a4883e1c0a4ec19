"""Which module call made each node: ours against sequence numbers noted around every call.

The modules are in `programs/zoo.py`; `judge_modules.py` has the other opinion.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from process import run, run_agi

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.rows import Call, Node
from autograd_inspect.model.tables import Kind
from autograd_inspect.store import load

HERE = Path(__file__).parent

Once = Callable[[str, Callable[[Path], object]], Path]
CallRow = tuple[str, str, str, int]
"""Owner, path, class and number of a call."""

MODELS = [
    *("mlp", "nested", "thrice", "tied", "rnn", "transformer", "catching", "reentrant"),
    *("checkpointed", "hooks", "direct", "borrowing", "generating", "wide", "partial", "lazy"),
    *("parametrized", "slotted", "raising", "functional", "doubled"),
]


@pytest.fixture(scope="module")
def where(once: Once) -> Path:
    return once("modules", lambda path: shutil.copytree(HERE / "programs", path))


@pytest.fixture(scope="module")
def judged(once: Once, where: Path) -> dict[str, list[tuple[str, list[CallRow]]]]:
    """Say what the other way says: class, and calls from the innermost outwards, of each node."""

    def judge(out: Path) -> None:
        script = str(HERE / "judge_modules.py")
        done = run(sys.executable, script, "zoo.py", str(out), cwd=where)
        assert done.status == 0, done.err

    graphs = json.loads(once("modules/judged.json", judge).read_text())
    return {
        name: [(op, [tuple(call) for call in calls]) for op, calls in graph]
        for name, graph in graphs.items()
    }


def traced(once: Once, where: Path, program: str, *options: str) -> Capture:
    def trace(out: Path) -> None:
        ours = (*options, "-q", "--no-backward", "-o", str(out))
        done = run_agi("trace", *ours, f"{program}:losses", cwd=where)
        assert done.status == 0, done.err

    return load(once(f"modules/{'-'.join([program, *options])}.agi", trace))


@pytest.fixture(scope="module", params=[(), ("--watch",)], ids=["light", "full"])
def zoo(once: Once, where: Path, request: pytest.FixtureRequest) -> Capture:
    return traced(once, where, "zoo.py", *request.param)


def below(capture: Capture, name: str) -> list[Node]:
    """List the nodes of one model breadth first."""
    (root,) = [root.node for root in capture.graph.roots if root.name == f"losses[{name!r}]"]
    nodes, known = [root], {root.index}
    for node in nodes:
        for edge in node.edges:
            if edge.target is not None and edge.target.index not in known:
                known.add(edge.target.index)
                nodes.append(edge.target)
    return nodes


def calls_around(node: Node) -> Iterator[Call]:
    call = node.call
    while call is not None:
        yield call
        call = call.parent


def rows(node: Node) -> list[CallRow]:
    return [(c.module.owner, c.module.path, c.module.cls, c.number) for c in calls_around(node)]


@pytest.mark.parametrize("model", MODELS)
def test_every_node_has_the_call_it_was_made_in(
    zoo: Capture, judged: dict[str, list[tuple[str, list[CallRow]]]], model: str
) -> None:
    nodes = below(zoo, model)
    assert [node.op for node in nodes] == [op for op, _ in judged[model]]
    assert [rows(node) for node in nodes] == [calls for _, calls in judged[model]]


def test_the_judge_sees_all_there_is(
    zoo: Capture, judged: dict[str, list[tuple[str, list[CallRow]]]]
) -> None:
    names = [root.name for root in zoo.graph.roots]
    assert names == [f"losses[{name!r}]" for name in judged]
    assert set(judged) == {*MODELS, "threaded"}
    inside = [calls for graph in judged.values() for _, calls in graph if calls]
    assert len(inside) > 350
    assert max(map(len, inside)) == 4


def test_calls_are_numbered_as_told_by_hand(zoo: Capture) -> None:
    def numbers(model: str, path: str) -> set[tuple[int, int]]:
        calls = [node.call for node in below(zoo, model)]
        return {(c.number, c.times) for c in calls if c and c.module.path == path}

    assert numbers("thrice", "shared") == {(1, 3), (2, 3), (3, 3)}
    assert numbers("thrice", "shared.linear") == {(1, 3), (2, 3), (3, 3)}
    assert numbers("rnn", "cell.mix") == {(number, 6) for number in range(1, 7)}
    assert numbers("reentrant", "linear") == {(1, 2), (2, 2)}
    assert numbers("catching", "risky.linear") == {(1, 2), (2, 2)}
    assert numbers("doubled", "") == {(1, 2), (2, 2)}  # calls that left no node do not count
    assert numbers("tied", "second.1") == {(1, 1)}  # counted by path: it is first.0 as well


def test_threads_keep_apart(zoo: Capture) -> None:
    """Sequence numbers tell nothing here; the threads ran different parts, told by hand."""
    nodes = below(zoo, "threaded")
    paths = [rows(node)[0][1] if node.call else "" for node in nodes]
    for branch in ("0", "1"):
        made = {node.op for node, path in zip(nodes, paths, strict=True) if path == branch}
        assert made == {"AddBackward0", "MulBackward0", "ReluBackward0"}
    assert {path.partition(".")[2] for path in paths} == {"", "norm", "linear"}
    assert {rows(node)[-1][0] for node in nodes if node.call} == {"threaded"}
    outside = [node.op for node in nodes if not node.call and node.leaf is None]
    assert outside == ["AddBackward0", "SinBackward0", "SinBackward0"]
    for node in nodes:
        assert all(
            call.parent is None or call.parent.module.path in {"0", "1"}
            for call in calls_around(node)
        )


def test_modules_made_of_compiled_code(once: Once, where: Path) -> None:
    capture = traced(once, where, "compiled_parts.py")
    found = {
        name: {(node.op, *rows(node)[0][:2]) for node in below(capture, name) if node.call}
        for name in ("outer", "inplace")
    }
    for name, made in found.items():
        assert made == {
            ("CosBackward0", name, ""),
            ("SinBackward0", name, ""),
            ("CompiledFunctionBackward", name, "part"),
            ("AddmmBackward0", name, "before"),
            ("TBackward0", name, "before"),
        }
    whole, *_ = below(capture, "whole")
    assert (whole.op, whole.kind) == ("CompiledFunctionBackward", Kind.COMPILED)
    assert whole.call is not None
    assert whole.call.module.owner in {"whole", "compiled"}
