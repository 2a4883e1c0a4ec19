"""Mermaid text: nothing that a name holds can end its quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from build import graph_of, make_capture, make_graph
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.layout.text import shortened, visible
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import mermaid

LINE = re.compile(
    r'  (n\d+(_\d+)?|nmore_\d+)(\["[^"`<>{}|\\\n]*(<br/>[^"`<>{}|\\\n]*)*"\]:::\w+'
    r'| -->(\|"[^"`<>{}|\\\n]*"\|)? n\w+)'
)


def unescaped(text: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)


@given(st.text(st.characters(), min_size=1, max_size=50))
def test_any_name_stays_inside_its_quotes(name: str) -> None:
    view = draw(make_graph("loss>a"), limit=None)
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


def test_boxes_and_arrows_are_those_of_the_view() -> None:
    chain = " ".join(f"m{i}>m{i + 1} m{i}>w" for i in range(8))
    view = draw(make_graph(chain), limit=6, split_leaves=True)
    text = mermaid.render(view)
    assert text.count(":::") == len(view)
    assert text.count("-->") == len(view.source)
    assert f"%% {view.notes[0]}" in text


def test_reverse_turns_the_arrows() -> None:
    view = draw(make_graph("loss>a"), limit=None)
    assert "n1 --> n0" in mermaid.render(view)
    assert "n0 --> n1" in mermaid.render(view, reverse=True)


@pytest.mark.parametrize(("nodes", "warned"), [(400, False), (600, True)])
def test_more_than_mermaid_draws_is_said(nodes: int, warned: bool) -> None:
    view = draw(graph_of([[i + 1] for i in range(nodes - 1)] + [[]]), limit=None)
    assert ("unless maxEdges" in mermaid.render(view)) is warned


def test_a_small_graph_stays_as_it_is(golden: Callable[[str, str], None]) -> None:
    view = draw(make_capture("loss>add add>mul add>x mul>x mul>x"), limit=None)
    golden("shared.mmd", mermaid.render(view))
