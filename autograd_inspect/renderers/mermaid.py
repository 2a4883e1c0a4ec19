"""Mermaid: a flowchart that GitHub, GitLab and many editors draw inside Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from autograd_inspect.layout.palette import LIGHT, SHAPES
from autograd_inspect.layout.text import shortened, visible
from autograd_inspect.model.view import Role, View

# Mermaid refuses more than this unless its host was configured otherwise (maxEdges, maxTextSize).
MOST_EDGES, MOST_CHARACTERS = 500, 50_000
# Everything else becomes an entity: quotes end a text, `#` begins an entity, backticks Markdown.
_NOT_PLAIN = re.compile(r"[^\w \[\]().,:=+\xd7·…-]")


def render(view: View, *, reverse: bool = False) -> str:
    """Write a view as a flowchart; arrows run from leaves to root, the other way with `reverse`."""
    arrows = _arrows(view, reverse=reverse)
    body = "".join([*_boxes(view), *arrows, *_classes(view), *_frame_styles(view)])
    return "".join([*_head(view, body), "flowchart TB\n", body])


def _head(view: View, body: str) -> Iterator[str]:
    # The title is YAML, of which a JSON string is a part.
    yield f"---\ntitle: {json.dumps(visible(view.title), ensure_ascii=False)}\n---\n"
    for note in view.notes:
        yield f"%% {visible(note)}\n"
    if len(view.source) > MOST_EDGES or len(body) > MOST_CHARACTERS:
        yield (
            f"%% {len(view.source):,} edges and {len(body):,} characters: Mermaid draws at most "
            f"{MOST_EDGES} and {MOST_CHARACTERS:,} unless maxEdges and maxTextSize are raised\n"
        )


def _names(view: View) -> list[str]:
    return [f"n{key.replace('-', '_')}" for key in view.box_keys()]


def _boxes(view: View) -> Iterator[str]:
    """Write the boxes, those that lie in frames inside these."""
    names = _names(view)
    inside: list[list[int]] = [[] for _ in range(len(view.groups) + 1)]  # the last: in no frame
    for box, row in enumerate(view.group):
        inside[row].append(box)
    yield from (_box(view, box, names[box]) for box in inside[-1])
    around: list[int] = []
    for number, group in enumerate(view.groups):
        while around and around[-1] != group.parent:
            around.pop()
            yield "  end\n"
        yield f'  subgraph g{number} ["{_escaped(shortened(group.label, 60))}"]\n'
        around.append(number)
        yield from (_box(view, box, names[box]) for box in inside[number])
    yield "  end\n" * len(around)


def _box(view: View, box: int, name: str) -> str:
    lines = (view.heading(box), *view.lines(box))
    text = "<br/>".join(_escaped(shortened(line, 60)) for line in lines)
    return f'  {name}["{text}"]:::{view.faces[view.face[box]].role.value}\n'


def _arrows(view: View, *, reverse: bool) -> Iterator[str]:
    names = _names(view)
    tails, heads = (view.source, view.target) if reverse else (view.target, view.source)
    carried = view.carried or (False,) * len(view.label)
    for tail, head, label, back in zip(tails, heads, view.label, carried, strict=True):
        line = "-.->" if back else "-->"
        arrow = f'{line}|"{_escaped(label)}"|' if label else line
        yield f"  {names[tail]} {arrow} {names[head]}\n"


def _classes(view: View) -> Iterator[str]:
    shown = {face.role for face in view.faces}
    for role in (role for role in Role if role in shown):
        fill, line = LIGHT.boxes[role]
        shape = SHAPES[role]
        dashes = ",stroke-dasharray:5 4" if shape.dashed else ""
        yield (
            f"  classDef {role.value} fill:{fill},stroke:{line},color:{LIGHT.heading(role)},"
            f"stroke-width:{shape.line_width:g}px{dashes}\n"
        )


def _frame_styles(view: View) -> Iterator[str]:
    depths: list[int] = []
    for number, group in enumerate(view.groups):
        depths.append(depths[group.parent] + 1 if group.parent >= 0 else 0)
        yield f"  style g{number} fill:{LIGHT.frame(depths[-1])},stroke:{LIGHT.frame_line}\n"


def _escaped(text: str) -> str:
    return _NOT_PLAIN.sub(lambda match: f"#{ord(match[0])};", visible(text))
