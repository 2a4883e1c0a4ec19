"""PNG, by its header and its pixels' number."""

from __future__ import annotations

import struct
import sys

import pytest
from build import make_graph

from autograd_inspect.errors import RenderError
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import png, svg


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.fixture
def drawing() -> str:
    return svg.render(draw(make_graph("loss>mul mul>a mul>b")))


def test_scale_is_a_factor(drawing: str) -> None:
    one, two = size_of(png.render(drawing, scale=1)), size_of(png.render(drawing))
    assert two == pytest.approx((2 * one[0], 2 * one[1]), abs=2)


def test_an_absurd_size_is_brought_down_and_said(
    drawing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "_MOST_PIXELS", 1_000_000)
    said: list[str] = []
    width, height = size_of(png.render(drawing, scale=400, tell=said.append))
    assert width * height <= 1_010_000
    assert len(said) == 1
    assert "too large for scale 400" in said[0]


def test_a_usual_size_is_not_talked_about(drawing: str) -> None:
    said: list[str] = []
    png.render(drawing, tell=said.append)
    assert said == []


def test_text_never_vanishes_in_silence(drawing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = png._resvg()

    class WithoutFonts:
        @staticmethod
        def svg_to_bytes(**options: object) -> bytes:
            return real.svg_to_bytes(skip_system_fonts=True, **options)

    png._has_fonts.cache_clear()
    monkeypatch.setattr(png, "_resvg", lambda: WithoutFonts)
    with pytest.raises(RenderError, match="no font"):
        png.render(drawing)
    png._has_fonts.cache_clear()


def test_a_missing_resvg_names_the_command(drawing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(RenderError) as caught:
        png.render(drawing)
    assert caught.value.hint == "pip install resvg-py"


def test_what_is_no_svg_is_refused() -> None:
    with pytest.raises(RenderError):
        png.render("hello")
