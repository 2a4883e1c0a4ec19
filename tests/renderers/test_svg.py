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
from framed import hostile, make_mlp
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
    view = draw(make_graph("loss>a"))
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
    view = draw(make_graph("loss>a"))
    text = svg.render(replace(view, name=["loss", '<script>alert("x")</script>']))
    assert "<script" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"\bon\w+=|href|url\(|@import", text)


def test_the_legend_has_the_roles_there_are() -> None:
    root = parse(svg.render(draw(make_graph("loss>mul mul>a"))))
    legend = [g for g in root.iter(f"{NAMESPACE}g") if "legend" in g.attrib["class"]]
    assert [texts(one) for one in legend] == [["root"], ["leaf"], ["operation"]]


def test_title_and_notes_are_there_to_read() -> None:
    view = draw(make_capture("loss>mul mul>a mul>b"), limit=2)
    assert set(texts(parse(svg.render(view)))) >= {view.title, *view.notes, "2 more nodes"}


def frames_of(root: ET.Element) -> dict[str, ET.Element]:
    groups = root.iter(f"{NAMESPACE}g")
    return {g.attrib["id"]: g for g in groups if g.attrib.get("id", "").startswith("frame")}


def rectangle(element: ET.Element) -> list[float]:
    found = element.find(f"{NAMESPACE}rect")
    assert found is not None
    x, y, width, height = (float(found.attrib[one]) for one in ("x", "y", "width", "height"))
    return [x, y, x + width, y + height]


@pytest.mark.parametrize("reverse", [False, True])
def test_frames_lie_around_their_boxes_and_say_which_module_they_are(reverse: bool) -> None:
    view = draw(make_mlp())
    root = parse(svg.render(view, reverse=reverse))
    frames, boxes = frames_of(root), boxes_of(root)
    assert list(frames) == ["frame-0", "frame-1", "frame-2"]
    labels = [t for t in root.iter(f"{NAMESPACE}text") if t.attrib["class"] == "caption"]
    assert [t.text for t in labels] == ["model (MLP)", "fc1 (Linear)", "fc2 (Linear)"]
    tips = [frame.findtext(f"{NAMESPACE}title") for frame in frames.values()]
    assert tips[1] == "model.fc1 (Linear)\nmade 2 nodes"
    for number, text in enumerate(labels):
        left, top, right, bottom = rectangle(frames[f"frame-{number}"])
        assert left < float(text.attrib["x"]) < right
        assert top < float(text.attrib["y"]) < top + 20
        for box, group in enumerate(view.group):
            x0, y0, x1, y1 = rectangle(boxes[f"node-{view.node[box]}"])
            if group == number:
                assert left < x0 < x1 < right
                assert top < y0 < y1 < bottom


@given(st.text(st.characters(), min_size=1, max_size=60))
@settings(deadline=None)
def test_any_module_line_and_variable_makes_valid_xml(text: str) -> None:
    root = parse(svg.render(hostile(text)))
    labels = [t.text for t in root.iter(f"{NAMESPACE}text") if t.attrib["class"] == "caption"]
    assert labels == [shortened(visible(text))] * 3
    assert frames_of(root)["frame-0"].findtext(f"{NAMESPACE}title") == visible(text)
    box = boxes_of(root)["node-4"]
    assert texts(box)[0] == shortened(f"{visible(text)} = relu")
    assert texts(box)[-1] == shortened(visible(text))


def test_without_frames_there_is_nothing_about_them() -> None:
    assert "frame" not in svg.render(draw(make_capture()))


def test_it_can_be_read_in_the_dark() -> None:
    text = svg.render(draw(make_graph("loss>a")))
    light, _, dark = text.partition("@media (prefers-color-scheme: dark)")
    assert ".agi .paper { fill: #ffffff; }" in light
    assert ".agi .paper { fill: #14181d; }" in dark


@pytest.mark.parametrize("reverse", [False, True])
def test_the_root_is_below_unless_reversed(reverse: bool) -> None:
    root = parse(svg.render(draw(make_graph("loss>a")), reverse=reverse))
    y = {
        key: float(box.find(f"{NAMESPACE}rect").attrib["y"]) for key, box in boxes_of(root).items()
    }
    assert (y["node-0"] < y["node-1"]) is reverse


def test_labels_lie_beside_the_arrows_that_enter() -> None:
    view = draw(make_graph("mul>x mul>x"))
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
    golden(f"{name}.svg", svg.render(draw(make_capture(arrows))))


def test_a_small_net_of_modules_stays_as_it_is(golden: Callable[[str, str], None]) -> None:
    golden("modules.svg", svg.render(draw(make_mlp())))


def test_the_same_bytes_in_every_process() -> None:
    code = (
        "from build import make_capture; from autograd_inspect.passes.drawing import draw;"
        "from autograd_inspect.renderers import dot, mermaid, svg;"
        "arrows = ' '.join(f'm{i}>m{i + 1} m{i}>w{i % 3}' for i in range(40));"
        "from framed import make_mlp;"
        "views = [draw(make_capture(arrows), limit=30, split_leaves=True),"
        "         draw(make_mlp())];"
        "[print(one.render(view)) for view in views for one in (svg, dot, mermaid)]"
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
