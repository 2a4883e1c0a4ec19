"""The page around the picture."""

from __future__ import annotations

from build import make_capture

from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import html, svg


def test_the_page_holds_the_picture_and_may_do_nothing() -> None:
    drawing = svg.render(draw(make_capture(target="<evil>.py")))
    page = html.render(drawing)
    assert drawing in page
    assert "<title>&lt;evil&gt;.py:loss · 4 nodes, 3 edges, 2 leaves</title>" in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert "<script" not in page
