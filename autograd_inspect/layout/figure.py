"""A figure: a view laid out, with every line of text in its place; what SVG and PDF write down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from autograd_inspect.layout.layered import Diagram, Layout, lay_out
from autograd_inspect.layout.routes import Point, Route
from autograd_inspect.layout.text import shortened, text_width, visible
from autograd_inspect.model.view import Role, View

HEADING, LINE, LABEL, TITLE = 13.0, 11.0, 10.0, 15.0
_LEADING = 1.3
_PAD_X, _PAD_Y = 12.0, 6.0
_MARGIN = 20.0
_LONGEST_LINE, _LONGEST_NOTE = 44, 110
_SWATCH = (20.0, 12.0)


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: the left end of its baseline, or the middle where it is centred."""

    x: float
    y: float
    text: str
    size: float


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its upper left corner and size, its heading and lines centred in it."""

    key: str
    role: Role
    x: float
    y: float
    width: float
    height: float
    heading: Text
    lines: tuple[Text, ...]
    tip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow: points along it, as a layout gives them, and its label if it has one."""

    route: Route
    label: Text | None


@dataclass(frozen=True, slots=True)
class Swatch:
    """A small box of the legend, with its word."""

    role: Role
    x: float
    y: float
    width: float
    height: float
    word: Text


@dataclass(frozen=True, slots=True)
class Figure:
    """All that is to be drawn, y down, from (0, 0) to (width, height)."""

    width: float
    height: float
    title: Text
    notes: tuple[Text, ...]
    legend: tuple[Swatch, ...]
    boxes: list[Box]
    arrows: list[Arrow]


def compose(view: View, *, reverse: bool = False) -> Figure:
    """Lay a view out below its title, notes and legend; `reverse` draws the root on top."""
    texts = [_texts(view, box) for box in range(len(view))]
    layout = _laid_out(view, texts, reverse=reverse)
    title = Text(_MARGIN, _MARGIN + TITLE, shortened(visible(view.title), _LONGEST_NOTE), TITLE)
    notes = tuple(_notes(view, title.y))
    legend = tuple(_legend(view, (notes[-1] if notes else title).y))
    head = [_right_end(text) for text in (title, *notes, *(swatch.word for swatch in legend))]
    width = max(layout.width + _MARGIN, *head) + _MARGIN
    top = max(legend[-1].y + legend[-1].height if legend else 0, title.y) + 1.5 * _MARGIN
    shift = (round((width - layout.width) / 2, 1), round(top, 1))
    return Figure(
        width=round(width, 1),
        height=round(top + layout.height + _MARGIN, 1),
        title=title,
        notes=notes,
        legend=legend,
        boxes=_boxes(view, texts, layout, shift),
        arrows=_arrows(view, layout, shift),
    )


def curve(route: Route) -> Iterator[tuple[Point, ...]]:
    """Give the pieces of a route after its first point: (end,) for a line, else three points."""
    for (x0, y0), (x1, y1) in zip(route, route[1:], strict=False):
        if x0 == x1:
            yield ((x1, y1),)
        else:
            middle = round((y0 + y1) / 2, 1)
            yield (x0, middle), (x1, middle), (x1, y1)


def _texts(view: View, box: int) -> tuple[str, ...]:
    cut = partial(shortened, longest=_LONGEST_LINE)
    return tuple(cut(visible(line)) for line in (view.heading(box), *view.lines(box)))


def _size(texts: tuple[str, ...]) -> tuple[float, float]:
    heading, *lines = texts
    widest = max(text_width(heading, HEADING), *(text_width(line, LINE) for line in lines), 30.0)
    tall = (HEADING + LINE * len(lines)) * _LEADING
    return round(widest + 2 * _PAD_X, 1), round(tall + 2 * _PAD_Y, 1)


def _laid_out(view: View, texts: list[tuple[str, ...]], *, reverse: bool) -> Layout:
    sizes = list(map(_size, texts))
    room = [text_width(label, LABEL) + 10 if label else 0.0 for label in view.label]
    width = [width for width, _ in sizes]
    wanted = [0.0] * len(width)
    for box, space in zip(view.source, room, strict=True):
        wanted[box] += space
    return lay_out(
        Diagram(
            width=[max(pair) for pair in zip(width, wanted, strict=True)],
            height=[height for _, height in sizes],
            upper=view.target,
            lower=view.source,
            room=room,
        ),
        reverse=reverse,
    )
