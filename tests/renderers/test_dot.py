"""DOT text, read back by Graphviz itself."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from build import graph_of, make_capture, make_graph
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.layout.text import visible
from autograd_inspect.model.view import View
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import dot

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz here")

HOSTILE = [
    'say "hi"',
    "back\\slash",
    "ends in a backslash\\",
    "\\N \\G \\l \\r",
    "line\nbreak\ttab\r",
    "<b>bold</b>",
    "&amp; &#65; &lt; & &",
    "nul\0 escape\x1b[31m",
    "\u202eturned around",
    "שלום עולם",
    "名前.重み",
    "x" * 200,
    "a]; b [label=c",
    "{a|b}",
    "lone \ud800 half",
]


def read_back(text: str) -> dict[str, dict[str, str]]:
    """Give the boxes that Graphviz found in DOT text, by name, legend left out."""
    parsed = subprocess.run(
        ["dot", "-Tdot_json"], input=text.encode(), capture_output=True, check=True
    )
    assert parsed.stderr == b""
    # Control characters of a text come back as they are.
    graph = json.loads(parsed.stdout, strict=False)
    boxes = {one["name"]: one for one in graph["objects"] if one["name"][0] in "0123456789m"}
    edges = {
        f"{graph['objects'][one['tail']]['name']}>{graph['objects'][one['head']]['name']}": one
        for one in graph.get("edges", ())
    }
    return boxes | edges


def unescaped(label: str) -> list[str]:
    """Read lines out of a label as Graphviz does: escapes, then entities."""
    lines = label.replace("\\\\", "\0").split("\\n")
    return [html.unescape(line.replace("\0", "\\")) for line in lines]


def named(view: View, name: str, box: int = 1) -> View:
    return replace(view, name=[name if i == box else old for i, old in enumerate(view.name)])


@needs_graphviz
@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_comes_back_as_it_went_in(name: str) -> None:
    view = named(draw(make_graph("loss>a"), limit=None), name)
    box = read_back(dot.render(view))["1"]
    assert unescaped(box["label"]) == [visible(name), "AccumulateGrad [2, 3]"]
    assert unescaped(box["tooltip"]) == [visible(line) for line in view.tip(1)]


@needs_graphviz
@given(st.text(st.characters(), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_text_comes_back_as_it_went_in(text: str) -> None:
    view = named(draw(make_graph("loss>a"), limit=None), text)
    view = replace(view, label=[text], title=text, notes=(text,))
    found = read_back(dot.render(view))
    assert unescaped(found["1"]["label"])[0] == visible(text)
    assert unescaped(found["1>0"]["label"]) == [visible(text)]


@needs_graphviz
def test_boxes_and_arrows_are_those_of_the_view() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w" for i in range(8))
    for limit, split in ((None, False), (None, True), (5, False)):
        view = draw(make_graph(chain), limit=limit, split_leaves=split)
        found = read_back(dot.render(view))
        keys = view.box_keys()
        pairs = [f"{keys[b]}>{keys[a]}" for a, b in zip(view.source, view.target, strict=True)]
        assert sorted(found) == sorted([*keys, *pairs])
        assert [found[key]["id"] for key in keys] == ["node-\\N"] * len(keys)


@needs_graphviz
def test_reverse_turns_the_arrows() -> None:
    view = draw(make_graph("loss>a"), limit=None)
    assert "1>0" in read_back(dot.render(view))
    assert "0>1" in read_back(dot.render(view, reverse=True))


@needs_graphviz
def test_every_role_is_drawn_and_explained() -> None:
    view = draw(make_graph("loss>mul mul>a mul>b mul>c mul>d mul>e"), limit=3)
    text = dot.render(view)
    assert [text.count(f'class="{role}"') for role in ("root", "leaf", "more", "custom")] == [
        2,
        2,
        2,
        0,
    ]
    drawn = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True)
    assert '<g id="node-0" class="node root">' in html.unescape(drawn.stdout.decode())


def test_a_million_nodes_take_no_stack_and_little_time() -> None:
    count = 200_000
    text = dot.render(draw(graph_of([[i + 1] for i in range(count - 1)] + [[]]), limit=None))
    assert text.count(" -> ") == count - 1


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
    golden(f"{name}.dot", dot.render(draw(make_capture(arrows), limit=None)))
