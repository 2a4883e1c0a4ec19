"""A figure: a view laid out, with every line of text in its place; what SVG and PDF write down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from autograd_inspect.layout.diagram import Diagram, Layout
from autograd_inspect.layout.layered import lay_out
from autograd_inspect.layout.routes import Point, Route
from autograd_inspect.layout.text import shortened, text_width, visible
from autograd_inspect.layout.wrapping import Screen
from autograd_inspect.model.places import Place
from autograd_inspect.model.view import HOTTEST, NO_HEAT, NOT_FINITE, ZERO, Role, View

HEADING, LINE, LABEL, TITLE, FRAME = 13.0, 11.0, 10.0, 15.0, 11.0
_LEADING = 1.3
_PAD_X, _PAD_Y = 12.0, 5.0
_MARGIN = 16.0
_LONGEST_LINE, _LONGEST_NOTE = 48, 120
_SWATCH = (20.0, 12.0)

Spelling = Callable[[str], str]


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
    heat: int = NO_HEAT
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow: points along it, as a layout gives them, and its label if it has one.

    One that is `carried` leads from one turn of a folded loop to the next.
    """

    route: Route
    label: Text | None
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame around boxes; `depth` is how many frames lie around it."""

    key: str
    depth: int
    x: float
    y: float
    width: float
    height: float
    label: Text
    tip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swatch:
    """A small box of the legend, with its word."""

    role: Role
    x: float
    y: float
    width: float
    height: float
    word: Text
    heat: int = NO_HEAT


@dataclass(frozen=True, slots=True)
class Figure:
    """All that is to be drawn, y down, from (0, 0) to (width, height); outer frames first."""

    width: float
    height: float
    title: Text
    notes: tuple[Text, ...]
    legend: tuple[Swatch, ...]
    frames: list[Frame]
    boxes: list[Box]
    arrows: list[Arrow]


def compose(
    view: View,
    *,
    reverse: bool = False,
    aspect: float | None = None,
    spell: Spelling = visible,
) -> Figure:
    """Lay a view out below its title, notes and legend; `reverse` draws the root on top.

    With an `aspect`, width to height of a screen, what is too tall for it is wrapped into columns.
    `spell` writes a text with the characters that the medium has, before it is measured.
    """
    texts = [_texts(view, box, spell) for box in range(len(view))]
    labels = [shortened(spell(group.label), _LONGEST_LINE) for group in view.groups]
    diagram = _diagram(view, texts, labels)
    layout = lay_out(diagram, reverse=reverse, aspect=aspect)
    title = Text(_MARGIN, _MARGIN + TITLE, shortened(spell(view.title), _LONGEST_NOTE), TITLE)
    notes = tuple(_notes(view, title.y, spell))
    legend = tuple(_legend(view, (notes[-1] if notes else title).y))
    head = [_right_end(text) for text in (title, *notes, *(swatch.word for swatch in legend))]
    width = max(layout.width + _MARGIN, *head) + _MARGIN
    top = max(legend[-1].y + legend[-1].height if legend else 0, title.y) + _MARGIN
    shift = (round((width - layout.width) / 2, 1), round(top, 1))
    return Figure(
        width=round(width, 1),
        height=round(top + layout.height + _MARGIN, 1),
        title=title,
        notes=notes,
        legend=legend,
        frames=list(_frames(view, labels, layout, shift)),
        boxes=list(_boxes(view, texts, (diagram, layout), shift)),
        arrows=list(_arrows(view, layout, shift, reverse=reverse)),
    )


def fitted_text(view: View, *, screen: tuple[int, int] = (1600, 900)) -> float:
    """Give the size in pixels that headings have when the whole figure fits on a screen."""
    width, height = screen
    figure = compose(view, aspect=width / height)
    return HEADING * Screen(width, height).scale(figure.width, figure.height)


def curve(route: Route) -> Iterator[tuple[Point, ...]]:
    """Give the pieces of a route after its first point: (end,) for a line, else three points."""
    for (x0, y0), (x1, y1) in pairwise(route):
        if x0 == x1:
            yield ((x1, y1),)
        else:
            middle = round((y0 + y1) / 2, 1)
            yield (x0, middle), (x1, middle), (x1, y1)


def _texts(view: View, box: int, spell: Spelling) -> tuple[str, ...]:
    lines = (view.heading(box), *view.lines(box))
    return tuple(shortened(spell(line), _LONGEST_LINE) for line in lines)


def _size(texts: tuple[str, ...]) -> tuple[float, float]:
    heading, *lines = texts
    widest = max(text_width(heading, HEADING), *(text_width(line, LINE) for line in lines), 30.0)
    tall = (HEADING + LINE * len(lines)) * _LEADING
    return round(widest + 2 * _PAD_X, 1), round(tall + 2 * _PAD_Y, 1)


def _diagram(view: View, texts: list[tuple[str, ...]], labels: list[str]) -> Diagram:
    sizes = list(map(_size, texts))
    room = [text_width(label, LABEL) + 10 if label else 0.0 for label in view.label]
    entering = [0] * len(view)
    widest = [0.0] * len(view)
    for box, space in zip(view.source, room, strict=True):
        entering[box] += 1
        widest[box] = max(widest[box], space)
    spread = [
        (count - 1) * space + 2 * _PAD_X if space else 0.0
        for count, space in zip(entering, widest, strict=True)
    ]
    return Diagram(
        width=[max(width, space) for (width, _), space in zip(sizes, spread, strict=True)],
        height=[height for _, height in sizes],
        upper=view.target,
        lower=view.source,
        room=room,
        group=view.group,
        parent=[group.parent for group in view.groups],
        head=[(text_width(label, FRAME), round(FRAME * _LEADING, 1)) for label in labels],
        carried=list(view.carried),
    )


def _frames(view: View, labels: list[str], layout: Layout, shift: Point) -> Iterator[Frame]:
    depths: list[int] = []
    places = zip(view.groups, labels, layout.frames, strict=True)
    for number, (group, label, place) in enumerate(places):
        depths.append(depths[group.parent] + 1 if group.parent >= 0 else 0)
        x, y = round(place.x + shift[0], 1), round(place.y + shift[1], 1)
        baseline = round(y + FRAME * _LEADING, 1)
        yield Frame(
            key=str(number),
            depth=depths[-1],
            x=x,
            y=y,
            width=place.width,
            height=place.height,
            label=Text(round(place.label + shift[0], 1), baseline, label, FRAME),
            tip=tuple(map(visible, group.tip)),
        )


def _boxes(
    view: View, texts: list[tuple[str, ...]], placed: tuple[Diagram, Layout], shift: Point
) -> Iterator[Box]:
    diagram, layout = placed
    for box, (key, (heading, *lines)) in enumerate(zip(view.box_keys(), texts, strict=True)):
        width, height = diagram.width[box], diagram.height[box]
        x, y = layout.x[box] + shift[0], layout.y[box] + shift[1]
        top = round(y - height / 2, 1)
        # A baseline lies about four fifths of the letters' height below their top.
        first = top + _PAD_Y + HEADING * _LEADING * 0.8
        yield Box(
            key=key,
            role=view.faces[view.face[box]].role,
            x=round(x - width / 2, 1),
            y=top,
            width=width,
            height=height,
            heading=Text(round(x, 1), round(first, 1), heading, HEADING),
            lines=tuple(
                Text(round(x, 1), round(first + LINE * _LEADING * number, 1), line, LINE)
                for number, line in enumerate(lines, 1)
            ),
            tip=tuple(map(visible, view.tip(box))),
            heat=view.heat[box] if view.heat else NO_HEAT,
            place=view.place[box] if view.place else None,
        )


def _arrows(view: View, layout: Layout, shift: Point, *, reverse: bool) -> Iterator[Arrow]:
    carried = view.carried or (False,) * len(view.label)
    for route, label, back in zip(layout.routes, view.label, carried, strict=True):
        moved = [(round(x + shift[0], 1), round(y + shift[1], 1)) for x, y in route]
        if not label:
            yield Arrow(moved, None, back)
            continue
        x, y = moved[0] if reverse else moved[-1]
        below = round(y + LABEL + 3 if reverse else y - LABEL * 0.8, 1)
        yield Arrow(moved, Text(round(x + 5, 1), below, visible(label), LABEL))


def _notes(view: View, y: float, spell: Spelling) -> Iterator[Text]:
    for number, note in enumerate(view.notes, 1):
        text = shortened(spell(note), _LONGEST_NOTE)
        yield Text(_MARGIN, round(y + number * LINE * 1.6, 1), text, LINE)


def _legend(view: View, y: float) -> Iterator[Swatch]:
    x, top = _MARGIN, round(y + 12, 1)
    width, height = _SWATCH
    for role, heat, label in _legend_entries(view):
        word = Text(round(x + width + 6, 1), round(top + height - 2.5, 1), label, LINE)
        yield Swatch(role, round(x, 1), top, width, height, word, heat)
        x = _right_end(word) + (16 if label else -2)


def _legend_entries(view: View) -> Iterator[tuple[Role, int, str]]:
    """List what boxes stand for; where they are coloured by a figure, its scale goes first."""
    if view.scale is not None:
        scale, levels = view.scale, set(view.heat)
        if ZERO in levels:
            yield Role.OPERATION, ZERO, "0"
        for level in range(HOTTEST + 1):
            ends = {0: scale.low, HOTTEST: f"{scale.high}  {scale.title}"}
            yield Role.OPERATION, level, ends.get(level, "")
        if NOT_FINITE in levels:
            yield Role.OPERATION, NOT_FINITE, "NaN or infinite"
    shown = {face.role for face in view.faces}
    yield from ((role, NO_HEAT, role.label) for role in Role if role in shown)


def _right_end(text: Text) -> float:
    return text.x + text_width(text.text, text.size)
