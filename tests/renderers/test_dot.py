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
from framed import hostile, make_mlp
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.layout.text import visible
from autograd_inspect.model.view import Group, View
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


def clusters_of(text: str) -> dict[str, dict[str, object]]:
    """Give the clusters that Graphviz found in DOT text, by name, with what is in them."""
    parsed = subprocess.run(
        ["dot", "-Tdot_json"], input=text.encode(), capture_output=True, check=True
    )
    assert parsed.stderr == b""
    graph = json.loads(parsed.stdout, strict=False)
    names = [one["name"] for one in graph["objects"]]
    return {
        one["name"]: {
            **one,
            "nodes": {names[number] for number in one.get("nodes", ())},
            "subgraphs": {names[number] for number in one.get("subgraphs", ())},
        }
        for one in graph["objects"]
        if one["name"].startswith("cluster") and one["name"] != "cluster_legend"
    }


def unescaped(label: str) -> list[str]:
    """Read lines out of a label as Graphviz does: escapes, then entities."""
    lines = label.replace("\\\\", "\0").split("\\n")
    return [html.unescape(line.replace("\0", "\\")) for line in lines]


def named(view: View, name: str, box: int = 1) -> View:
    return replace(view, name=[name if i == box else old for i, old in enumerate(view.name)])


@needs_graphviz
@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_comes_back_as_it_went_in(name: str) -> None:
    view = named(draw(make_graph("loss>a")), name)
    box = read_back(dot.render(view))["1"]
    assert unescaped(box["label"]) == [visible(name), "AccumulateGrad [2, 3]"]
    assert unescaped(box["tooltip"]) == [visible(line) for line in view.tip(1)]


@needs_graphviz
@given(st.text(st.characters(), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_text_comes_back_as_it_went_in(text: str) -> None:
    view = named(draw(make_graph("loss>a")), text)
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
    view = draw(make_graph("loss>a"))
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


@needs_graphviz
def test_frames_are_clusters_in_each_other() -> None:
    view = draw(make_mlp())
    found = clusters_of(dot.render(view))
    keys = view.box_keys()
    inside = [{keys[b] for b, group in enumerate(view.group) if group == n} for n in range(3)]
    assert {name: one["subgraphs"] for name, one in found.items()} == {
        "cluster_0": {"cluster_1", "cluster_2"},
        "cluster_1": set(),
        "cluster_2": set(),
    }
    assert found["cluster_0"]["nodes"] == set.union(*inside)
    assert [found[f"cluster_{n}"]["nodes"] for n in (1, 2)] == inside[1:]
    assert found["cluster_1"]["label"] == "fc1 (Linear)\\l"
    assert found["cluster_1"]["tooltip"] == "model.fc1 (Linear)\\nmade 2 nodes"
    boxes = read_back(dot.render(view))
    assert [unescaped(boxes[key]["label"]) for key in keys] == [
        [view.heading(box), *view.lines(box)] for box in range(len(view))
    ]
    assert [unescaped(boxes[key]["tooltip"]) for key in keys] == [
        list(view.tip(box)) for box in range(len(view))
    ]


@needs_graphviz
@pytest.mark.parametrize("text", HOSTILE)
def test_any_module_line_and_variable_comes_back_as_it_went_in(text: str) -> None:
    view = hostile(text)
    written = dot.render(view)
    for cluster in clusters_of(written).values():
        assert unescaped(str(cluster["label"]).removesuffix("\\l")) == [visible(text)]
        assert unescaped(str(cluster["tooltip"])) == [visible(text)]
    box = read_back(written)["4"]
    assert unescaped(box["label"]) == [f"{visible(text)} = relu", "[2, 3]", visible(text)]
    assert unescaped(box["tooltip"]) == [visible(line) for line in view.tip(4)]


def test_clusters_close_whatever_lies_in_what() -> None:
    view = draw(make_mlp())
    depth = 120
    groups = tuple(Group(f"m{i}", i - 1 if i < depth else i - depth - 1) for i in range(depth + 3))
    text = dot.render(replace(view, groups=groups, group=[*range(len(view))]))
    assert text.count("{") == text.count("}")
    assert text.count("subgraph cluster_") == depth + 4


def test_a_million_nodes_take_no_stack_and_little_time() -> None:
    count = 200_000
    text = dot.render(draw(graph_of([[i + 1] for i in range(count - 1)] + [[]])))
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
    golden(f"{name}.dot", dot.render(draw(make_capture(arrows))))


def test_a_small_net_of_modules_stays_as_it_is(golden: Callable[[str, str], None]) -> None:
    golden("modules.dot", dot.render(draw(make_mlp())))
