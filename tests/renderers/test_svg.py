"""SVG text, read back as XML."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from build import make_capture, make_graph
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.layout.text import shortened, visible
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import svg

NAMESPACE = "{http://www.w3.org/2000/svg}"
TESTS = Path(__file__).parents[1]


def parse(text: str) -> ET.Element:
    return ET.fromstring(text)


def boxes_of(root: ET.Element) -> dict[str, ET.Element]:
    groups = root.iter(f"{NAMESPACE}g")
    return {g.attrib["id"]: g for g in groups if g.attrib["class"].startswith("box")}


def texts(element: ET.Element) -> list[str]:
    return [one.text or "" for one in element.iter(f"{NAMESPACE}text")]


@given(st.text(st.characters(), min_size=1, max_size=60))
@settings(deadline=None)
def test_any_text_makes_valid_xml(text: str) -> None:
    view = draw(make_graph("loss>a"), limit=None)
    view = replace(view, name=["loss", text], label=[text], title=text, notes=(text,))
    root = parse(svg.render(view))
    box = boxes_of(root)["node-1"]
    assert texts(box)[0] == shortened(visible(text))
    assert (box.findtext(f"{NAMESPACE}title") or "").startswith(visible(text))


def test_boxes_and_arrows_are_those_of_the_view() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w" for i in range(8))
    for limit, split in ((None, False), (None, True), (5, False)):
        view = draw(make_graph(chain), limit=limit, split_leaves=split)
        root = parse(svg.render(view))
        assert list(boxes_of(root)) == [f"node-{key}" for key in view.box_keys()]
        arrows = [p for p in root.iter(f"{NAMESPACE}path") if p.attrib["class"] == "arrow"]
        assert len(arrows) == len(view.source)


def test_nothing_runs_and_nothing_is_loaded() -> None:
    view = draw(make_graph("loss>a"), limit=None)
    text = svg.render(replace(view, name=["loss", '<script>alert("x")</script>']))
    assert "<script" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"\bon\w+=|href|url\(|@import", text)


def test_the_legend_has_the_roles_there_are() -> None:
    root = parse(svg.render(draw(make_graph("loss>mul mul>a"), limit=None)))
    legend = [g for g in root.iter(f"{NAMESPACE}g") if "legend" in g.attrib["class"]]
    assert [texts(one) for one in legend] == [["root"], ["leaf"], ["operation"]]


def test_title_and_notes_are_there_to_read() -> None:
    view = draw(make_capture("loss>mul mul>a mul>b"), limit=2)
    assert set(texts(parse(svg.render(view)))) >= {view.title, *view.notes, "2 more nodes"}


def test_it_can_be_read_in_the_dark() -> None:
    text = svg.render(draw(make_graph("loss>a"), limit=None))
    light, _, dark = text.partition("@media (prefers-color-scheme: dark)")
    assert ".agi .paper { fill: #ffffff; }" in light
    assert ".agi .paper { fill: #14181d; }" in dark


@pytest.mark.parametrize("reverse", [False, True])
def test_the_root_is_below_unless_reversed(reverse: bool) -> None:
    root = parse(svg.render(draw(make_graph("loss>a"), limit=None), reverse=reverse))
    y = {
        key: float(box.find(f"{NAMESPACE}rect").attrib["y"]) for key, box in boxes_of(root).items()
    }
    assert (y["node-0"] < y["node-1"]) is reverse


def test_labels_lie_beside_the_arrows_that_enter() -> None:
    view = draw(make_graph("mul>x mul>x"), limit=None)
    for reverse in (False, True):
        root = parse(svg.render(view, reverse=reverse))
        labels = [t for t in root.iter(f"{NAMESPACE}text") if t.attrib["class"] == "label"]
        assert [t.text for t in labels] == ["input 0", "input 1"]
        left, right = (float(t.attrib["x"]) for t in labels)
        assert right - left > 35


@pytest.mark.parametrize(
    ("name", "arrows"),
    [
        ("chain", "loss>sin sin>sin2 sin2>x"),
        ("linear", "loss>relu relu>addmm addmm>bias addmm>t t>weight addmm>x"),
        ("shared", "loss>add add>mul add>x mul>x mul>x"),
    ],
)
def test_small_graphs_stay_as_they_are(
    name: str, arrows: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"{name}.svg", svg.render(draw(make_capture(arrows), limit=None)))


def test_the_same_bytes_in_every_process() -> None:
    code = (
        "from build import make_capture; from autograd_inspect.passes.drawing import draw;"
        "from autograd_inspect.renderers import dot, mermaid, svg;"
        "arrows = ' '.join(f'm{i}>m{i + 1} m{i}>w{i % 3}' for i in range(40));"
        "view = draw(make_capture(arrows), limit=30, split_leaves=True);"
        "print(svg.render(view), dot.render(view), mermaid.render(view))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1
