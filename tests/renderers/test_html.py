"""The page: what is in it, and what it may do."""

from __future__ import annotations

import base64
import hashlib
import html as markup
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from build import graph_of, make_capture
from hypothesis import given
from hypothesis import strategies as st
from viewing import HOSTILE, blocks, data_of, hostile_capture, page_of

from autograd_inspect.layout.text import visible
from autograd_inspect.model.folds import Opening
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import html, svg
from autograd_inspect.renderers.viewer.packing import Rising, narrow, pack

FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    r"|DOMParser|createContextualFragment|\bfetch\(|\bimport\("
)


class Elements(HTMLParser):
    """Collects the elements of a page, and the text of each script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:  # within a script or style
            self.texts[-1] += data

    def texts_of(self, wanted: str) -> list[str]:
        """Give the texts of what a browser would run, or style by."""
        pairs = zip(self.tags, self.texts, strict=True)
        return [text for (tag, at), text in pairs if tag == wanted and "type" not in at]


def policy_of(elements: Elements) -> str:
    (policy,) = (
        attributes["content"]
        for tag, attributes in elements.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    return str(policy)


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_only_our_own_scripts_may_run_and_nothing_is_loaded() -> None:
    page = html.render(page_of(make_capture(blocks(2))))
    elements = Elements(page)
    policy = dict(part.split(" ", 1) for part in policy_of(elements).split("; "))
    assert policy["default-src"] == "'none'"
    scripts = elements.texts_of("script")
    assert policy["script-src"].split() == list(map(digest, scripts))
    assert policy["style-src"].split() == list(map(digest, elements.texts_of("style")))
    assert len(scripts) == len(html.SCRIPTS)
    assert "unsafe" not in policy_of(elements)
    for tag, attributes in elements.tags:
        assert tag not in {"link", "img", "iframe", "object", "base"}, tag
        assert not {"src", "href", "style", "srcset"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"https?://", page)


def test_scripts_make_no_markup_and_run_no_text() -> None:
    sources = html.files("autograd_inspect.renderers.viewer")
    for name in html.SCRIPTS:
        text = sources.joinpath(name).read_text("utf-8")
        assert '"use strict";' in text, name
        assert not FORBIDDEN.search(text), name
        assert "</script" not in text and "<!--" not in text, name


def test_names_of_the_program_are_nowhere_but_in_the_title_and_in_the_data() -> None:
    page = html.render(page_of(hostile_capture()))
    harmless = html.render(page_of(make_capture(blocks(2))))
    title = markup.escape(visible(hostile_capture().about.source))
    assert f"<title>{title}</title>" in page

    def without(page: str) -> str:
        page = re.sub(r"<title>.*</title>", "", page)
        return re.sub(r'octet-stream">[A-Za-z0-9+/=]*<', "", page)

    assert without(page) == without(harmless)
    strings = data_of(page)["facts"]["strings"]
    assert {visible(name) for name in HOSTILE} <= set(strings)
    assert not any("\u202e" in text or "\x1b" in text for text in strings)


def test_the_first_view_is_what_was_chosen() -> None:
    page = html.render(page_of(make_capture(blocks(3)), Opening(frozenset([0, 1]), {0: 2})))
    assert data_of(page)["facts"]["opening"] == {"folds": [0, 1], "shown": [[0, 2]]}


def test_an_operation_takes_a_few_bytes() -> None:
    def size(count: int) -> int:
        graph = graph_of([*([[at + 1, at + 1] for at in range(count)]), []])
        return len(html.render(page_of(make_capture(graph))))

    assert size(1) < 220_000
    assert (size(21_000) - size(1_000)) / 20_000 < 4


def test_a_graph_of_one_leaf_has_a_page() -> None:
    page = html.render(page_of(make_capture(graph_of([[]], names={0: "x"}))))
    columns = data_of(page)["columns"]
    assert columns["rows.node"][1] == 1
    assert columns["folds.kind"][1] == 0
    assert columns["leaves.node"][1] == 1


@given(st.lists(st.integers(-(2**40), 2**40)) | st.lists(st.integers(-300, 300)))
def test_whole_numbers_are_stored_exactly(values: list[int]) -> None:
    assert narrow(np.array(values, np.int64)).astype(np.int64).tolist() == values


@given(st.lists(st.floats(width=32, allow_subnormal=False)))
def test_numbers_of_single_precision_are_stored_exactly(values: list[float]) -> None:
    column = np.array(values, np.float64)
    assert np.array_equal(narrow(column).astype(np.float64), column, equal_nan=True)


@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_what_single_precision_cannot_hold_is_stored_in_double(value: float) -> None:
    assert narrow(np.array([1.0, value])).tolist() == [1.0, value]


def test_a_still_picture_is_all_that_its_page_holds() -> None:
    drawing = svg.render(draw(make_capture(target="<evil>.py")))
    page = html.still(drawing)
    assert drawing in page
    assert "<title>&lt;evil&gt;.py:loss · 4 nodes, 3 edges, 2 leaves</title>" in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert "<script" not in page


def test_equal_graphs_make_equal_pages() -> None:
    assert pack({"a": 1}, {"t.c": Rising(np.array([5, 6, 9]))}) == pack(
        {"a": 1}, {"t.c": Rising(np.array([5, 6, 9]))}
    )
    pages = [html.render(page_of(make_capture(blocks(4)))) for _ in range(2)]
    assert pages[0] == pages[1]
