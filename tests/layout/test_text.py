"""Widths, visible characters, cutting."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.layout.text import shortened, text_width, visible


def test_widths_are_those_of_the_font() -> None:
    assert text_width("Mm", 1000) == 863 + 974
    assert text_width("", 11) == 0
    assert text_width("重み", 10) == 20
    assert text_width("e\N{COMBINING ACUTE ACCENT}", 10) == text_width("e", 10)


def test_control_characters_can_be_seen() -> None:
    assert visible("a\0b\nc\x1b\x7f") == "a␀b␊c␛␡"
    assert visible("\u202eevil\ud800") == "\ufffdevil\ufffd"
    assert visible("שלום 重み é") == "שלום 重み é"


@given(st.text(st.characters()))
def test_what_is_visible_is_allowed_in_xml(text: str) -> None:
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (ET.fromstring(f"<a>{escaped}</a>").text or "") == visible(text)


@given(st.text(max_size=100), st.integers(5, 60))
def test_a_long_text_is_cut_in_the_middle(text: str, longest: int) -> None:
    cut = shortened(text, longest)
    assert len(cut) == min(len(text), longest)
    assert cut == text or (cut[0] == text[0] and cut[-1] == text[-1] and "…" in cut)
