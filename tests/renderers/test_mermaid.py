"""Mermaid text: nothing that a name holds can end its quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from build import graph_of, make_capture, make_graph
from framed import hostile, make_mlp
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.layout.text import shortened, visible
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import mermaid

LINE = re.compile(
    r'  (n\d+(_\d+)?|nmore_\d+)(\["[^"`<>{}|\\\n]*(<br/>[^"`<>{}|\\\n]*)*"\]:::\w+'
    r'| -->(\|"[^"`<>{}|\\\n]*"\|)? n\w+)'
)

FRAME = re.compile(r'  subgraph g\d+ \["[^"`<>{}|\\\n]*"\]')


def unescaped(text: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)


@given(st.text(st.characters(), min_size=1, max_size=50))
def test_any_name_stays_inside_its_quotes(name: str) -> None:
    view = draw(make_graph("loss>a"))
    view = replace(view, name=["loss", name], label=[name], title=name)
    text = mermaid.render(view)
    header, body = text.split("flowchart TB\n")
    title = header.splitlines()[1].removeprefix("title: ")
    assert json.loads(title) == visible(name)
    lines = body.splitlines()
    statements = [line for line in lines if "classDef" not in line]
    assert all(LINE.fullmatch(line) for line in statements)
    shown = unescaped(statements[1].split('"')[1].split("<br/>")[0])
    assert shown == shortened(visible(name), 60)


@given(st.text(st.characters(), min_size=1, max_size=50))
def test_any_module_stays_inside_its_quotes(text: str) -> None:
    body = mermaid.render(hostile(text)).split("flowchart TB\n")[1]
    lines = [line for line in body.splitlines() if not line.startswith(("  classDef", "  style"))]
    frames = [line for line in lines if line.startswith("  subgraph")]
    assert all(FRAME.fullmatch(line) for line in frames)
    assert [unescaped(line.split('"')[1]) for line in frames] == [shortened(visible(text), 60)] * 3
    rest = [line for line in lines if line not in {"  end", *frames}]
    assert all(LINE.fullmatch(line) for line in rest)


def test_frames_are_subgraphs_in_each_other() -> None:
    view = draw(make_mlp())
    around: list[int] = []
    inside: dict[str, int] = {}
    parents: dict[int, int] = {}
    for line in mermaid.render(view).splitlines():
        words = line.split()
        if words[0] == "subgraph":
            number = int(words[1].removeprefix("g"))
            parents[number] = around[-1] if around else -1
            around.append(number)
        elif words == ["end"]:
            around.pop()
        elif ":::" in line:
            inside[words[0].partition("[")[0]] = around[-1] if around else -1
    assert around == []
    assert [parents[number] for number in range(3)] == [group.parent for group in view.groups]
    assert inside == {f"n{key}": g for key, g in zip(view.box_keys(), view.group, strict=True)}


def test_boxes_and_arrows_are_those_of_the_view() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w" for i in range(8))
    view = draw(make_graph(chain), limit=6, split_leaves=True)
    text = mermaid.render(view)
    assert text.count(":::") == len(view)
    assert text.count("-->") == len(view.source)
    assert f"%% {view.notes[0]}" in text


def test_reverse_turns_the_arrows() -> None:
    view = draw(make_graph("loss>a"))
    assert "n1 --> n0" in mermaid.render(view)
    assert "n0 --> n1" in mermaid.render(view, reverse=True)


@pytest.mark.parametrize(("nodes", "warned"), [(400, False), (600, True)])
def test_more_than_mermaid_draws_is_said(nodes: int, warned: bool) -> None:
    view = draw(graph_of([[i + 1] for i in range(nodes - 1)] + [[]]))
    assert ("unless maxEdges" in mermaid.render(view)) is warned


def test_a_small_graph_stays_as_it_is(golden: Callable[[str, str], None]) -> None:
    view = draw(make_capture("loss>add add>mul add>x mul>x mul>x"))
    golden("shared.mmd", mermaid.render(view))


def test_a_small_net_of_modules_stays_as_it_is(golden: Callable[[str, str], None]) -> None:
    golden("modules.mmd", mermaid.render(draw(make_mlp())))
