"""What is drawn of a capture: all of it where that can be read, else folds; what was asked for."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from build import make_capture
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import make_layers

from autograd_inspect import render
from autograd_inspect.drawings import Drawing, view_of
from autograd_inspect.errors import UsageError
from autograd_inspect.layout.figure import fitted_text
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.selection import Selection
from autograd_inspect.model.view import View


def drawn(capture: Capture, **asked: object) -> View:
    return view_of(capture, Drawing(Selection(**asked)))  # type: ignore[arg-type]


def headings(view: View) -> list[str]:
    return [view.heading(box) for box in range(len(view))]


def test_a_small_graph_is_drawn_node_by_node() -> None:
    assert headings(drawn(make_capture())) == ["loss", "mul", "a", "b"]


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 60))
def test_whatever_its_size_a_net_can_be_read_on_a_screen(layers: int) -> None:
    assert fitted_text(drawn(make_layers(layers))) >= 9.5


def test_a_thousand_layers_read_like_forty() -> None:
    many, few = drawn(make_layers(1000)), drawn(make_layers(40))
    digits = re.compile(r"[\d,]+")
    assert [digits.sub("N", text) for text in headings(many)] == [
        digits.sub("N", text) for text in headings(few)
    ]


def test_everything_is_a_box_for_every_node() -> None:
    capture = make_layers(20)
    assert set(drawn(capture, everything=True).node) == set(range(len(capture.graph)))


def test_depth_opens_by_modules() -> None:
    capture = make_layers(20)
    assert headings(drawn(capture, depth=1)) == ["loss", "add", "mlp (Mlp)", "table (Embedding)"]
    assert "gelu" in headings(drawn(capture, depth=2))


def test_an_expanded_module_is_open_whatever_fits() -> None:
    view = drawn(make_layers(20), depth=0, expand=("h.3.mlp",))
    assert "gelu" in headings(view)
    assert any("number 4 shown" in group.label for group in view.groups)


def test_focus_shows_what_is_near_and_counts_the_rest() -> None:
    view = drawn(make_layers(20), focus="h.7.mlp", radius=0)
    assert {"mul", "gelu", "mm"} <= set(headings(view))
    hidden = [int(text.split()[0]) for text in headings(view) if text.endswith("more nodes")]
    assert sum(hidden) + 3 == len(make_layers(20).graph)


def test_a_path_is_all_that_leads_from_the_root_to_a_tensor() -> None:
    view = drawn(make_layers(3), path="net.h.2.mlp.weight")
    assert {"loss", "add", "mul", "gelu", "mm", "net.h.2.mlp.weight"} <= set(headings(view))
    assert "embedding" not in headings(view)


def test_what_is_selected_may_be_folded_too() -> None:
    view = drawn(make_layers(200), include=("h.*",), exclude=("gelu",))
    assert len(view) < 20
    assert "2 nodes are left out" not in view.notes[0]
    assert re.search(r"[\d,]+ nodes are left out", view.notes[0])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"focus": "nothing"}, "nothing: no tensor"),
        ({"path": "nothing"}, "nothing: no tensor"),
        ({"include": ("nothing",)}, "nothing is left"),
        ({"exclude": ("*",)}, "nothing is left"),
        ({"expand": ("nothing",)}, "nothing: no module"),
    ],
)
def test_what_cannot_be_shown_is_said(asked: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        drawn(make_layers(4), **asked)


@pytest.mark.parametrize("kind", ["svg", "dot", "mermaid"])
def test_every_kind_of_text_draws_folds_and_the_same_each_time(kind: str) -> None:
    text = render(make_layers(60), kind)  # type: ignore[arg-type]
    assert "×60" in str(text)
    assert text == render(make_layers(60), kind)  # type: ignore[arg-type]


def test_boxes_lead_to_their_lines_where_that_is_asked_for() -> None:
    from framed import make_mlp

    svg = str(render(make_mlp(), link="editor://{path}?line={line}"))
    assert re.search(r'<a href="editor://\S*/model\.py\?line=9"><g id="node-1"', svg)
    assert "<a " not in str(render(make_mlp()))


def test_of_operations_that_are_all_unlike_the_nearest_to_the_root_are_drawn() -> None:
    ops = [f"op{chr(97 + i // 26 % 26)}{chr(97 + i % 26)}{i}x" for i in range(400)]
    arrows = [*pairwise(ops), *zip(ops, ops[2:], strict=False)]  # with steps over one: no chain
    view = drawn(make_capture(" ".join(f"{a}>{b}" for a, b in arrows)))
    assert fitted_text(view) >= 9.5
    assert re.fullmatch(r"\d+ of 400 nodes shown; .*", view.notes[0])
