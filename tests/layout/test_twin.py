"""The layout in Python and the one in JavaScript give the same coordinates, today and tomorrow."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from diagrams import framed, random_diagram

import autograd_inspect
from autograd_inspect.layout.diagram import Diagram, Layout
from autograd_inspect.layout.layered import lay_out
from autograd_inspect.layout.text import text_width, unusual_widths

HERE = Path(__file__).parent
SCRIPT = Path(autograd_inspect.__file__).parent / "renderers" / "viewer" / "layout.js"
Vector = dict[str, Any]

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def plain(layout: Layout) -> Vector:
    """Write a layout as the script gives it: the points of a route one after the other."""
    return asdict(layout) | {
        "routes": [[at for point in route for at in point] for route in layout.routes]
    }


def laid_out(vector: Vector) -> Vector:
    return plain(lay_out(Diagram(**vector["diagram"]), **vector["options"]))


def ask_node(**question: object) -> Any:
    """Ask the script in one process."""
    run = subprocess.run(
        ["node", str(HERE / "twin.js"), str(SCRIPT)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.fixture
def vectors(request: pytest.FixtureRequest) -> list[Vector]:
    """Give the golden vectors, their layouts made anew with --update-golden."""
    path = HERE / "vectors.json"
    vectors: list[Vector] = json.loads(path.read_text("utf-8"))
    if request.config.getoption("--update-golden"):
        for vector in vectors:
            vector["layout"] = laid_out(vector)
        lines = ",\n".join(json.dumps(vector, separators=(",", ":")) for vector in vectors)
        path.write_text(f"[\n{lines}\n]\n", "utf-8")
    return vectors


def test_python_still_gives_the_golden_vectors(vectors: list[Vector]) -> None:
    assert len(vectors) > 50
    for vector in vectors:
        assert laid_out(vector) == vector["layout"], vector["name"]


@needs_node
def test_javascript_gives_the_golden_vectors_too(vectors: list[Vector]) -> None:
    given = ask_node(tasks=vectors)["layouts"]
    for vector, layout in zip(vectors, given, strict=True):
        assert layout == vector["layout"], vector["name"]


@needs_node
def test_both_agree_on_many_more() -> None:
    """Python adds floats up in the same order everywhere, and so does JavaScript."""
    options = [
        {"reverse": reverse, "aspect": aspect}
        for reverse, aspect in product((False, True), (None, 0.5, 16 / 9))
    ]
    tasks = [
        {"diagram": asdict(random_diagram(seed)), "options": options[seed % len(options)]}
        for seed in range(1000, 1150)
    ]
    for task, layout in zip(tasks, ask_node(tasks=tasks)["layouts"], strict=True):
        assert layout == laid_out(task), task


@needs_node
def test_both_agree_on_a_wide_and_on_a_deep_graph() -> None:
    fan = [(i, 300) for i in range(300)] + [(i, i + 301) for i in range(0, 300, 3)]
    lanes = [(i, i + 1) for i in range(900)] + [(900 + i % 7, i) for i in range(8, 890)]
    diagrams = [framed(fan, [-1] * 700, []), framed(lanes, [-1] * 910, [])]
    tasks = [{"diagram": asdict(one), "options": {"aspect": 16 / 9}} for one in diagrams]
    for task, layout in zip(tasks, ask_node(tasks=tasks)["layouts"], strict=True):
        assert layout == laid_out(task)


@needs_node
def test_text_is_as_wide_in_both() -> None:
    printable = [chr(code) for code in range(32, 127)]
    texts = [*printable, "layers.3.attn", "", "\u00d73 \u2026 \u91cd\u307f e\u0301 \U0001f600"]
    answer = ask_node(texts=texts, widths=unusual_widths(texts))
    assert answer["widths"] == [text_width(text, 11) for text in texts]


def test_the_script_loads_nothing_and_stands_alone() -> None:
    text = SCRIPT.read_text("utf-8")
    assert not [word for word in ("import ", "require(", "fetch(", "http", "eval(") if word in text]
    assert "</script" not in text.lower()
