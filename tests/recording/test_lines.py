"""Which line made each node: ours against torch's own anomaly mode, on every kind of program.

The programs are in `programs/kinds`; `judge_lines.py` has what anomaly mode says of them. Comments
`# makes: MulBackward0 SumBackward0` in the programs say the same by hand: all that this line made.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from process import run, run_agi

from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node
from autograd_inspect.store import load

HERE = Path(__file__).parent
KINDS = sorted(path.stem for path in (HERE / "programs" / "kinds").glob("*.py"))
LEVELS = {Recording.LIGHT: (), Recording.FULL: ("--watch",)}

Frame = tuple[str, int, str]
Once = Callable[[str, Callable[[Path], object]], Path]

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def where(once: Once) -> Path:
    return once("lines", lambda path: shutil.copytree(HERE / "programs", path))


@pytest.fixture(scope="module")
def judged(once: Once, where: Path) -> dict[str, list[tuple[str, list[int], list[Frame]]]]:
    """Say what anomaly mode says: class, next nodes and frames of each node, by kind."""

    def judge(out: Path) -> None:
        script = str(HERE / "judge_lines.py")
        done = run(sys.executable, script, "everything.py", str(out), cwd=where)
        assert done.status == 0, done.err

    graphs = json.loads(once("lines/judged.json", judge).read_text())
    return {
        kind: [(op, next_, [tuple(frame) for frame in frames]) for op, next_, frames in graph]
        for kind, graph in graphs.items()
    }


@pytest.fixture(scope="module", params=LEVELS, ids=lambda level: level.value)
def capture(once: Once, where: Path, request: pytest.FixtureRequest) -> Capture:
    def trace(out: Path) -> None:
        options = (*LEVELS[request.param], "-q", "--no-backward", "-o", str(out))
        done = run_agi("trace", *options, "everything.py:losses", cwd=where)
        assert done.status == 0, done.err

    found = load(once(f"lines/{request.param.value}.agi", trace))
    assert found.about.recording is request.param
    assert len(found.graph.roots) == len(KINDS)
    return found


def below(capture: Capture, kind: str) -> Iterator[tuple[Node, list[int]]]:
    """Go through the nodes of one program breadth first, each with the numbers it leads to."""
    root = capture.graph.roots[KINDS.index(kind)].node
    nodes, number = [root], {root.index: 0}
    for node in nodes:
        targets = [edge.target for edge in node.edges]
        for target in targets:
            if target is not None and target.index not in number:
                number[target.index] = len(nodes)
                nodes.append(target)
        yield node, [-1 if target is None else number[target.index] for target in targets]


def frame(place: Place | None) -> Frame | None:
    return place and (place.file, place.line, place.function)


def without_compiled_code(op: str, frames: list[Frame]) -> list[Frame]:
    return frames[:-1] if op == "CompiledFunctionBackward" else frames


def is_within(inner: list[Frame], outer: list[Frame]) -> bool:
    """Tell whether all of one list are in the other, in that order."""
    rest = iter(outer)
    return all(one in rest for one in inner)


@each_kind
def test_every_node_has_the_line_that_anomaly_mode_says(
    capture: Capture, judged: dict[str, list[tuple[str, list[int], list[Frame]]]], kind: str
) -> None:
    ours = list(below(capture, kind))
    assert len(ours) == len(judged[kind]) > 5
    for (node, targets), (op, expected_targets, frames) in zip(ours, judged[kind], strict=True):
        assert targets == expected_targets
        assert op in {node.op, "CppFunction"}
        expected = without_compiled_code(op, frames)
        if expected:
            assert frame(node.place) == expected[-1], node
            stack = [frame(place) for place in node.stack]
            assert is_within(stack, expected[::-1]), node
            assert len(stack) == len(expected) or len(stack) >= 4, node
        else:  # nothing of the user's led there
            assert node.place is not None
            assert not node.place.file.startswith(("kinds", "everything", "<string>")), node


@each_kind
def test_the_lines_make_what_their_comments_say(capture: Capture, kind: str) -> None:
    source = (HERE / "programs" / "kinds" / f"{kind}.py").read_text()
    made: dict[int, set[str]] = {}
    for node, _ in below(capture, kind):
        if node.place and node.place.file == f"kinds/{kind}.py" and node.leaf is None:
            made.setdefault(node.place.line, set()).add(node.op)
    told = {
        number + line.count("on the next line"): set(line.partition(": ")[2].split())
        for number, text in enumerate(source.splitlines(), 1)
        for line in re.findall(r"# makes\b.*", text)
    }
    assert {line: made.get(line) for line in told} == told
    assert len(told) > 1 or kind in {"executed", "precision"}


def test_a_line_of_a_library_is_kept_beside_the_users(capture: Capture) -> None:
    places = {node.op: node.library_place for node, _ in below(capture, "library")}
    library = "kinds/site-packages/installed_library.py"
    assert frame(places["MulBackward0"]) == (library, 7, "scaled")
    assert frame(places["CosBackward0"]) == (library, 11, "applied")
    assert frame(places["ExpBackward0"]) == (library, 21, "forward")
    assert places["SinBackward0"] is None
    assert places["SumBackward0"] is None
