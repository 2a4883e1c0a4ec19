"""SVG: one self-contained picture, readable on light and on dark, without scripts or fonts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

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
from autograd_inspect.layout.palette import DARK, FONTS, FRAME_CORNER, LIGHT, SHAPES, Palette
from autograd_inspect.model.view import HOTTEST, NO_HEAT, NOT_FINITE, ZERO, Role, View

_STYLE = f"""\
.agi text {{ font-family: {FONTS}; }}
.agi .title {{ font-size: 15px; font-weight: 600; }}
.agi .box text {{ text-anchor: middle; }}
.agi .heading {{ font-size: 13px; font-weight: 600; }}
.agi .line {{ font-size: 11px; }}
.agi .label {{ font-size: 10px; stroke-width: 3px; stroke-linejoin: round; paint-order: stroke; }}
.agi .arrow {{ fill: none; stroke-width: 1.2; }}
"""
_CARRIED_STYLE = ".agi .carried { stroke-dasharray: 5 3; }\n"
_FRAME_STYLE = """\
.agi .caption { font-size: 11px; font-weight: 600;
  stroke-width: 3px; stroke-linejoin: round; paint-order: stroke; }
"""
#: The class of each level of heat.
_HEATS = {level: f"heat{level}" for level in range(HOTTEST + 1)} | {
    ZERO: "zero",
    NOT_FINITE: "notfinite",
}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render(
    view: View, *, reverse: bool = False, aspect: float | None = None, link: str = ""
) -> str:
    """Draw a view; arrows run down from leaves to root, down from root to leaves with `reverse`.

    With an `aspect` what is too tall for such a screen is wrapped into columns.
    """
    return "".join(_pieces(compose(view, reverse=reverse, aspect=aspect), link))


def _pieces(figure: Figure, link: str) -> Iterator[str]:
    width, height = _number(figure.width), _number(figure.height)
    title = _escaped(figure.title.text)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="agi" width="{width}" height="{height}" '
    yield f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}">\n'
    yield f"<title>{title}</title>\n"
    yield from _style(figure)
    yield f'<rect class="paper" width="{width}" height="{height}"/>\n'
    yield _text(figure.title, "title")
    yield from (_text(note, "line note") for note in figure.notes)
    yield from map(_swatch, figure.legend)
    yield from map(_frame, figure.frames)
    yield from map(_arrow, figure.arrows)
    yield from map(_frame_label, figure.frames)
    yield from (_linked(box, link) for box in figure.boxes)
    yield from (_text(arrow.label, "label") for arrow in figure.arrows if arrow.label)
    yield "</svg>\n"


def _is_heated(figure: Figure) -> bool:
    return any(swatch.heat != NO_HEAT for swatch in figure.legend)


def _roles(figure: Figure) -> list[Role]:
    """List the roles that the figure has boxes of."""
    found = {box.role for box in figure.boxes} | {swatch.role for swatch in figure.legend}
    return [role for role in Role if role in found]


def _style(figure: Figure) -> Iterator[str]:
    framed, heated = bool(figure.frames), _is_heated(figure)
    roles = _roles(figure)
    yield f"<style>\n{_STYLE}"
    if any(arrow.carried for arrow in figure.arrows):
        yield _CARRIED_STYLE
    if framed:
        yield _FRAME_STYLE
    yield from _shapes(roles)
    yield from _colours(LIGHT, roles, framed=framed)
    yield from _heats(LIGHT) if heated else ()
    yield "@media (prefers-color-scheme: dark) {\n"
    yield from _colours(DARK, roles, framed=framed)
    yield from _heats(DARK) if heated else ()
    yield "}\n</style>\n"


def _colours(palette: Palette, roles: Sequence[Role], *, framed: bool) -> Iterator[str]:
    yield f".agi text {{ fill: {palette.text}; }}\n"
    yield f".agi .line, .agi .label {{ fill: {palette.quiet}; }}\n"
    yield f".agi .label {{ stroke: {palette.paper}; }}\n"
    yield f".agi .paper {{ fill: {palette.paper}; }}\n"
    yield f".agi .arrow {{ stroke: {palette.arrow}; }}\n"
    yield f".agi .head {{ fill: {palette.arrow}; }}\n"
    for depth, fill in enumerate(palette.frames if framed else ()):
        yield f".agi .frame{depth} .caption {{ fill: {palette.quiet}; stroke: {fill}; }}\n"
        yield f".agi .frame{depth} rect {{ fill: {fill}; stroke: {palette.frame_line}; }}\n"
    for role in roles:
        fill, line = palette.boxes[role]
        yield f".agi .{role.value} rect {{ fill: {fill}; stroke: {line}; }}\n"
        yield f".agi .{role.value} .heading {{ fill: {palette.heading(role)}; }}\n"


def _heats(palette: Palette) -> Iterator[str]:
    for level, fill in palette.heat.items():
        yield f".agi .{_HEATS[level]} rect {{ fill: {fill}; }}\n"
        yield f".agi .box.{_HEATS[level]} text {{ fill: {palette.text}; }}\n"


def _shapes(roles: Sequence[Role]) -> Iterator[str]:
    for role in roles:
        shape = SHAPES[role]
        yield f".agi .{role.value} rect {{ stroke-width: {_number(shape.line_width)}px; }}\n"
        if shape.dashed:
            yield f".agi .{role.value} rect {{ stroke-dasharray: 5 4; }}\n"
        if not shape.loud:
            yield f".agi .{role.value} .heading {{ font-weight: 400; }}\n"


def _frame(frame: Frame) -> str:
    return (
        f'<g id="frame-{frame.key}" class="frame{frame.depth % 2}">{_tip(frame.tip)}\n'
        f'<rect x="{_number(frame.x)}" y="{_number(frame.y)}" width="{_number(frame.width)}" '
        f'height="{_number(frame.height)}" rx="{_number(FRAME_CORNER)}"/></g>\n'
    )


def _frame_label(frame: Frame) -> str:
    text = _text(frame.label, "caption")
    return f'<g class="frame{frame.depth % 2}">{_tip(frame.tip)}\n{text}</g>\n'


def _tip(lines: tuple[str, ...]) -> str:
    joined = "\n".join(lines)
    return f"<title>{_escaped(joined)}</title>"


def _linked(box: Box, link: str) -> str:
    """Draw a box, leading to its line where that is asked for and known."""
    if not link or box.place is None:
        return _box(box)
    path = quote(Path(box.place.file).absolute().as_posix())
    target = link.replace("{path}", path).replace("{line}", str(box.place.line))
    return f'<a href="{_escaped(target)}">{_box(box)}</a>\n'


def _box(box: Box) -> str:
    texts = _text(box.heading, "heading") + "".join(_text(line, "line") for line in box.lines)
    return (
        f'<g id="node-{box.key}" class="box {_classes(box)}">{_tip(box.tip)}\n'
        f"{_rectangle(box)}{texts}</g>\n"
    )


def _classes(box: Box | Swatch) -> str:
    return f"{box.role.value} {_HEATS[box.heat]}" if box.heat in _HEATS else box.role.value


def _rectangle(box: Box | Swatch) -> str:
    corner = min(SHAPES[box.role].corner, box.height / 2.5)
    return (
        f'<rect x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
        f'height="{_number(box.height)}" rx="{_number(corner)}"/>\n'
    )


def _arrow(arrow: Arrow) -> str:
    points = " ".join(
        f"{'L' if len(piece) == 1 else 'C'}{_points(piece)}" for piece in curve(arrow.route)
    )
    x, y = arrow.route[-1]
    kind = "arrow carried" if arrow.carried else "arrow"
    return (
        f'<path class="{kind}" d="M{_points(arrow.route[:1])} {points}"/>'
        f'<path class="head" d="M{_points([(x, y)])}l-3.5 -7h7z"/>\n'
    )


def _swatch(swatch: Swatch) -> str:
    drawn = _rectangle(swatch) + _text(swatch.word, "line")
    return f'<g class="legend {_classes(swatch)}">{drawn}</g>\n'


def _text(text: Text, kind: str) -> str:
    place = f'x="{_number(text.x)}" y="{_number(text.y)}"'
    return f'<text class="{kind}" {place}>{_escaped(text.text)}</text>\n'


def _points(points: tuple[tuple[float, float], ...] | list[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _escaped(text: str) -> str:
    return re.sub('[&<>"]', lambda match: _ESCAPES[match[0]], text)
