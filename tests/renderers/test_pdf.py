"""PDF: the file's own tables, and the text in it."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from build import graph_of, make_capture, make_graph
from framed import hostile, make_mlp
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_inspect.model.view import View
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import pdf


def content(file: bytes) -> str:
    stream = re.search(rb"stream\n(.*)\nendstream", file, re.DOTALL)
    assert stream
    return zlib.decompress(stream[1]).decode("latin-1")


def texts(file: bytes) -> list[str]:
    found = re.findall(r"Tm \((.*)\) Tj", content(file))
    return [re.sub(r"\\([()\\])", r"\1", text) for text in found]


def named(name: str) -> View:
    return replace(draw(make_graph("loss>a")), name=["loss", name])


def test_the_table_of_objects_points_at_them() -> None:
    file = pdf.render(draw(make_capture()))
    start = int(file.rsplit(b"startxref\n", 1)[1].split()[0])
    lines = file[start:].splitlines()
    assert lines[0] == b"xref"
    count = int(lines[1].split()[1])
    for number in range(1, count):
        place = int(lines[2 + number].split()[0])
        assert file[place:].startswith(b"%d 0 obj" % number)
    length = re.search(rb"/Length (\d+)", file)
    stream = re.search(rb"stream\n(.*)\nendstream", file, re.DOTALL)
    assert length
    assert stream
    assert int(length[1]) == len(stream[1])


def test_all_text_is_there_to_select() -> None:
    view = draw(make_capture())
    found = texts(pdf.render(view))
    for box in range(len(view)):
        assert view.heading(box) in found
    assert view.title in found


@given(st.text(st.characters(), min_size=1, max_size=30))
@settings(deadline=None)
def test_any_name_makes_a_sound_file(name: str) -> None:
    file = pdf.render(named(name))
    assert file.count(b" 0 obj\n") == 7
    drawn = content(file)
    assert drawn.count("BT") == drawn.count("ET")


def test_what_the_font_lacks_is_written_as_its_escape() -> None:
    assert "\\u91cd\\u307f (a) \\ é \N{MULTIPLICATION SIGN}" in texts(
        pdf.render(named("重み (a) \\ é \N{MULTIPLICATION SIGN}"))
    )


def test_frames_are_drawn_below_all_else_with_their_labels() -> None:
    view = draw(make_mlp())
    file = pdf.render(view)
    found = texts(file)
    for group in view.groups:
        assert found.count(group.label) == 2  # once as paper around the letters
    fills = re.findall(r"^([\d. ]+) rg ([\d. ]+) RG 1 w \[\] 0 d$", content(file), re.MULTILINE)
    line = "0.796 0.827 0.867"
    assert [stroke for _, stroke in fills].count(line) == 3
    assert content(file).index(line) < content(file).index("(fc1 \\(Linear\\))")


@given(st.text(st.characters(), min_size=1, max_size=30))
@settings(deadline=None, max_examples=30)
def test_any_module_makes_a_sound_file(name: str) -> None:
    drawn = content(pdf.render(hostile(name)))
    assert drawn.count("BT") == drawn.count("ET")


def test_a_long_page_stays_within_what_readers_take() -> None:
    file = pdf.render(draw(graph_of([[i + 1] for i in range(999)] + [[]])))
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", file)
    assert box
    assert float(box[2]) <= 14_400


def test_reverse_and_labels() -> None:
    view = draw(make_graph("mul>x mul>x"))
    assert texts(pdf.render(view)).count("input 1") == 2  # once as paper around the letters
    assert pdf.render(view, reverse=True) != pdf.render(view)
