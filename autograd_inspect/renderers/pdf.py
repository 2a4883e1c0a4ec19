r"""PDF: vectors and selectable text on one page, written by hand.

Text is set in Helvetica, one of the fonts that every PDF reader has, so that none has to be found
or embedded. It knows the characters of Windows-1252; any other is written as its escape, `\\u540d`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from autograd_inspect.layout.figure import (
    Arrow,
    Box,
    Figure,
    Frame,
    Swatch,
    Text,
    compose,
    curve,
)
from autograd_inspect.layout.palette import FRAME_CORNER, LIGHT, SHAPES
from autograd_inspect.layout.routes import Point
from autograd_inspect.layout.text import visible
from autograd_inspect.model.view import View

_POINTS_PER_PIXEL = 0.75
_LONGEST_SIDE = 14_400  # points; readers refuse larger pages
_ROUND = 0.5523  # how far the control points of a quarter circle lie
_HEAD = (3.5, 7.0)
# Advance widths in thousandths of an em for U+0020 to U+007E (Adobe's metrics of the two fonts).
_REGULAR = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_BOLD = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611),
    *(975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556),
    *(333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611),
    *(611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584),
)


def render(view: View, *, reverse: bool = False, aspect: float | None = None) -> bytes:
    """Draw a view on one page of its own size; arrows as in the other pictures."""
    figure = compose(view, reverse=reverse, aspect=aspect, spell=_spelled)
    longest = max(figure.width, figure.height)
    scale = min(_POINTS_PER_PIXEL, _LONGEST_SIDE / longest)
    drawing = zlib.compress("\n".join(_drawing(figure, scale)).encode("latin-1"))
    size = f"{figure.width * scale:.2f} {figure.height * scale:.2f}"
    return _document(size, drawing, _string(figure.title.text))


def _document(size: str, drawing: bytes, title: bytes) -> bytes:
    """Put the objects of a PDF file together, with the table of where each one begins."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %s] /Contents 4 0 R "
        b"/Resources << /Font << /R 5 0 R /B 6 0 R >> >> >>" % size.encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        b"<< /Title %s /Creator (agi) >>" % title,
    ]
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\n" % (len(objects) + 1)
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)


def _drawing(figure: Figure, scale: float) -> Iterator[str]:
    """Write the page's content; y grows upwards in PDF, so the page is turned over."""
    yield f"{scale:.4f} 0 0 {-scale:.4f} 0 {figure.height * scale:.2f} cm"
    yield from _text(figure.title, LIGHT.text, bold=True)
    for note in figure.notes:
        yield from _text(note, LIGHT.quiet)
    for swatch in figure.legend:
        yield from _rectangle(swatch)
        yield from _text(swatch.word, LIGHT.quiet)
    for frame in figure.frames:
        yield from _frame(frame)
    yield f"{_colour(LIGHT.arrow)} RG {_colour(LIGHT.arrow)} rg 1.2 w"
    for arrow in figure.arrows:
        yield from _arrow(arrow)
    for frame in figure.frames:
        yield from _over_lines(frame.label, LIGHT.frame(frame.depth), bold=True)
    for box in figure.boxes:
        yield from _box(box)
    for label in (arrow.label for arrow in figure.arrows if arrow.label):
        yield from _over_lines(label, LIGHT.paper)


def _over_lines(text: Text, paper: str, *, bold: bool = False) -> Iterator[str]:
    """Write text with paper around the letters, so that lines below do not cross them out."""
    yield f"1 Tr {_colour(paper)} RG 3 w [] 0 d"
    yield from _text(text, paper, bold=bold)
    yield "0 Tr"
    yield from _text(text, LIGHT.quiet, bold=bold)


def _arrow(arrow: Arrow) -> Iterator[str]:
    yield "[5 3] 0 d" if arrow.carried else "[] 0 d"
    yield f"{_points(arrow.route[:1])} m"
    for piece in curve(arrow.route):
        yield f"{_points(piece)} {'l' if len(piece) == 1 else 'c'}"
    yield "S"
    (x, y), (across, back) = arrow.route[-1], _HEAD
    yield f"{_points([(x, y)])} m {_points([(x - across, y - back)])} l"
    yield f"{_points([(x + across, y - back)])} l f"


def _box(box: Box) -> Iterator[str]:
    yield from _rectangle(box)
    loud = SHAPES[box.role].loud
    yield from _text(box.heading, LIGHT.heading(box.role), bold=loud, centred=True)
    for line in box.lines:
        yield from _text(line, LIGHT.quiet, centred=True)


def _frame(frame: Frame) -> Iterator[str]:
    fill = _colour(LIGHT.frame(frame.depth))
    yield f"{fill} rg {_colour(LIGHT.frame_line)} RG 1 w [] 0 d"
    yield from _rounded(frame, FRAME_CORNER)


def _rectangle(box: Box | Swatch) -> Iterator[str]:
    shape, (fill, line) = SHAPES[box.role], LIGHT.boxes[box.role]
    fill = LIGHT.heat.get(box.heat, fill)
    yield f"{_colour(fill)} rg {_colour(line)} RG {shape.line_width:g} w"
    yield "[5 4] 0 d" if shape.dashed else "[] 0 d"
    yield from _rounded(box, min(shape.corner, box.height / 2.5))


def _rounded(box: Box | Frame | Swatch, corner: float) -> Iterator[str]:
    left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    far, near = corner, corner * (1 - _ROUND)
    yield f"{_points([(left + far, top)])} m {_points([(right - far, top)])} l"
    yield f"{_points([(right - near, top), (right, top + near), (right, top + far)])} c"
    yield f"{_points([(right, bottom - far)])} l"
    yield f"{_points([(right, bottom - near), (right - near, bottom), (right - far, bottom)])} c"
    yield f"{_points([(left + far, bottom)])} l"
    yield f"{_points([(left + near, bottom), (left, bottom - near), (left, bottom - far)])} c"
    yield f"{_points([(left, top + far)])} l"
    yield f"{_points([(left, top + near), (left + near, top), (left + far, top)])} c b"


def _text(text: Text, colour: str, *, bold: bool = False, centred: bool = False) -> Iterator[str]:
    string = _string(text.text).decode("latin-1")
    x = text.x - _width(text, bold=bold) / 2 if centred else text.x
    # The page is turned over, so letters are turned back.
    yield f"BT /{'B' if bold else 'R'} {text.size:g} Tf {_colour(colour)} rg"
    yield f"1 0 0 -1 {x:.2f} {text.y:.2f} Tm {string} Tj ET"


def _width(text: Text, *, bold: bool) -> float:
    widths = _BOLD if bold else _REGULAR
    codes = text.text.encode("cp1252")
    # Beyond ASCII a letter is about as wide as an n.
    return sum(widths[c - 32] if 32 <= c < 127 else 556 for c in codes) * text.size / 1000


def _spelled(text: str) -> str:
    """Replace what the font does not have by its escape."""
    return visible(text).encode("cp1252", errors="backslashreplace").decode("cp1252")


def _string(text: str) -> bytes:
    """Write text as a PDF string: only brackets and the backslash mean something there."""
    return b"(%s)" % re.sub(rb"[()\\]", rb"\\\g<0>", text.encode("cp1252"))


def _colour(hexadecimal: str) -> str:
    parts = (int(hexadecimal[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return " ".join(f"{part:.3f}" for part in parts)


def _points(points: tuple[Point, ...] | list[Point]) -> str:
    return " ".join(f"{x:.1f} {y:.1f}" for x, y in points)
