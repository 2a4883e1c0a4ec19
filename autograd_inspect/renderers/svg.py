"""SVG: one self-contained picture, readable on light and on dark, without scripts or fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograd_inspect.layout.figure import Arrow, Box, Figure, Swatch, Text, compose, curve
from autograd_inspect.model.view import Role, View

# Fonts that are metrically close, the narrower ones first; boxes are measured for the widest.
_FONTS = "Helvetica, Arial, 'Liberation Sans', 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_STYLE = f"""\
.agi text {{ font-family: {_FONTS}; fill: #1f2933; }}
.agi .title {{ font-size: 15px; font-weight: 600; }}
.agi .box text {{ text-anchor: middle; }}
.agi .heading {{ font-size: 13px; font-weight: 600; }}
.agi .line {{ font-size: 11px; fill: #4b5866; }}
.agi .label {{ font-size: 10px; fill: #4b5866; }}
.agi .paper {{ fill: #ffffff; }}
.agi .arrow {{ fill: none; stroke: #7b8794; stroke-width: 1.2; }}
.agi .head {{ fill: #7b8794; }}
.agi .operation rect {{ fill: #f3f5f8; stroke: #9aa5b4; }}
.agi .view rect {{ fill: #ffffff; stroke: #c0c8d2; }}
.agi .view .heading {{ fill: #4b5866; font-weight: 400; }}
.agi .leaf rect {{ fill: #e2eefb; stroke: #4a86c8; }}
.agi .root rect {{ fill: #fdefd2; stroke: #b7791f; stroke-width: 2; }}
.agi .custom rect {{ fill: #f5e8f6; stroke: #8e4fa8; stroke-width: 2; }}
.agi .more rect {{ fill: #ffffff; stroke: #7b8794; stroke-dasharray: 5 4; }}
.agi .more .heading {{ fill: #4b5866; font-weight: 400; }}
@media (prefers-color-scheme: dark) {{
.agi text {{ fill: #e6eaf0; }}
.agi .line, .agi .label, .agi .view .heading, .agi .more .heading {{ fill: #aeb8c4; }}
.agi .paper, .agi .view rect, .agi .more rect {{ fill: #14181d; }}
.agi .arrow {{ stroke: #77859a; }}
.agi .head {{ fill: #77859a; }}
.agi .operation rect {{ fill: #222932; stroke: #5a6778; }}
.agi .view rect {{ stroke: #414c5a; }}
.agi .leaf rect {{ fill: #17304d; stroke: #5b93d1; }}
.agi .root rect {{ fill: #43310f; stroke: #d99a35; }}
.agi .custom rect {{ fill: #3a2342; stroke: #b877c9; }}
}}
"""
# Shape is a second sign beside colour, for those who cannot tell the colours apart.
_CORNERS = {Role.LEAF: 14.0, Role.CUSTOM: 0.0}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render(view: View, *, reverse: bool = False) -> str:
    """Draw a view; arrows run down from leaves to root, down from root to leaves with `reverse`."""
    return "".join(_pieces(compose(view, reverse=reverse)))


def _pieces(figure: Figure) -> Iterator[str]:
    width, height = _number(figure.width), _number(figure.height)
    title = _escaped(figure.title.text)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="agi" width="{width}" height="{height}" '
    yield f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}">\n'
    yield f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n"
    yield f'<rect class="paper" width="{width}" height="{height}"/>\n'
    yield _text(figure.title, "title")
    yield from (_text(note, "line note") for note in figure.notes)
    yield from map(_swatch, figure.legend)
    yield from map(_arrow, figure.arrows)
    yield from map(_box, figure.boxes)
    yield "</svg>\n"


def _box(box: Box) -> str:
    tip = _escaped("\n".join(box.tip))
    texts = _text(box.heading, "heading") + "".join(_text(line, "line") for line in box.lines)
    return (
        f'<g id="node-{box.key}" class="box {box.role.value}"><title>{tip}</title>\n'
        f"{_rectangle(box)}{texts}</g>\n"
    )


def _rectangle(box: Box | Swatch) -> str:
    corner = min(_CORNERS.get(box.role, 5.0), box.height / 2.5)
    return (
        f'<rect x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
        f'height="{_number(box.height)}" rx="{_number(corner)}"/>\n'
    )


def _arrow(arrow: Arrow) -> str:
    points = " ".join(
        f"{'L' if len(piece) == 1 else 'C'}{_points(piece)}" for piece in curve(arrow.route)
    )
    x, y = arrow.route[-1]
    label = _text(arrow.label, "label") if arrow.label else ""
    return (
        f'<path class="arrow" d="M{_points(arrow.route[:1])} {points}"/>'
        f'<path class="head" d="M{_points([(x, y)])}l-3.5 -7h7z"/>\n{label}'
    )


def _swatch(swatch: Swatch) -> str:
    return f'<g class="legend {swatch.role.value}">{_rectangle(swatch)}{_text(swatch.word, "line")}</g>\n'


def _text(text: Text, kind: str) -> str:
    return f'<text class="{kind}" x="{_number(text.x)}" y="{_number(text.y)}">{_escaped(text.text)}</text>\n'


def _points(points: tuple[tuple[float, float], ...] | list[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _escaped(text: str) -> str:
    return re.sub('[&<>"]', lambda match: _ESCAPES[match[0]], text)
