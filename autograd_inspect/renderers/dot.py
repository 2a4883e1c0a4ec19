"""DOT text, for Graphviz and whatever else reads it.

The `graphviz` package would write the same, at several microseconds per node. Here boxes that look
alike share their attributes, so that a box is one f-string; a million of them take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.layout.palette import LIGHT, SHAPES
from autograd_inspect.layout.text import visible
from autograd_inspect.model.view import Role, View

_DEFAULTS = f"""\
  graph [labelloc=t, labeljust=l, ranksep=0.35, nodesep=0.2];
  graph [fontname="Helvetica", fontsize=12];
  node [shape=box, fontname="Helvetica", fontsize=11, margin="0.12,0.06", height=0.3];
  edge [color="{LIGHT.arrow}", arrowsize=0.6];
  edge [fontname="Helvetica", fontsize=9, fontcolor="{LIGHT.quiet}"];
"""


def render(view: View, *, reverse: bool = False) -> str:
    """Write a view as a digraph; arrows run from leaves to root, the other way with `reverse`."""
    title = _escaped(view.title, *view.notes)
    names = [key if key.isdecimal() else f'"{key}"' for key in view.box_keys()]
    return "".join(
        (
            "digraph autograd {\n",
            f'  label="{title}\\l";\n',
            _DEFAULTS,
            *_nodes(view, names),
            *_groups(view, names),
            *_edges(view, names, reverse=reverse),
            *_legend(view),
            "}\n",
        )
    )


def _escaped(*lines: str) -> str:
    """Write lines for a quoted string; `&` would start an entity, a backslash an escape."""
    return "\\n".join(map(_escaped_line, lines))


def _escaped_line(line: str) -> str:
    if _harmless(line):
        return line
    return visible(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def _escaped_all(texts: list[str]) -> list[str]:
    """Escape a whole column, at no cost per text where none needs it."""
    return texts if _harmless("".join(texts)) else list(map(_escaped_line, texts))


def _harmless(text: str) -> bool:
    return text.isascii() and text.isprintable() and not any(char in text for char in '"\\&')


def _nodes(view: View, names: list[str]) -> Iterator[str]:
    """Write the boxes role by role, below the attributes that all of a role share."""
    statements: dict[Role, list[str]] = {}
    into = [statements.setdefault(face.role, []).append for face in view.faces]
    titles = [_escaped(face.title) for face in view.faces]
    plain = [_escaped(face.title, *face.lines) for face in view.faces]
    below = [
        _escaped(" ".join((face.title, *face.lines[:1])), *face.lines[1:]) for face in view.faces
    ]
    tips = [_escaped(*face.tip, "") for face in view.faces]
    from_lines = [_escaped("", *origin.lines) for origin in view.origins]
    from_tips = [_escaped(*origin.tip, "") if origin.tip else "" for origin in view.origins]
    texts = (view.name, view.variable, view.remark)
    own, variables, remarks = (_escaped_all(column) for column in texts)
    columns = (view.face, view.origin, names, view.node, view.sequence, own, variables, remarks)
    for face, origin, key, node, sequence, name, variable, remark in zip(*columns, strict=True):
        text, tip = plain[face], tips[face]
        if name:
            text, tip = f"{name}\\n{below[face]}", f"{name}\\n{tip}"
        elif variable:
            text, tip = f"{variable} = {text}", f"{variable} = {titles[face]}\\n{tip}"
        text += from_lines[origin]
        if remark:
            text = f"{text}\\n{remark}"
        if sequence >= 0:
            tip = f"{tip}{from_tips[origin]}node {node}, sequence number {sequence}"
        elif node >= 0:
            tip = f"{tip}{from_tips[origin]}node {node}"
        else:
            tip += from_tips[origin]
        into[face](f'  {key} [label="{text}", tooltip="{tip}"];\n')
    for role, lines in statements.items():
        yield _role_defaults(role)
        yield from lines


def _groups(view: View, names: list[str]) -> Iterator[str]:
    """Write the frames as clusters, each inside the one around it, with the boxes in it."""
    boxes: list[list[str]] = [[] for _ in view.groups]
    for name, row in zip(names, view.group, strict=True):
        if row >= 0:
            boxes[row].append(name)
    around: list[int] = []
    for number, group in enumerate(view.groups):
        while around and around[-1] != group.parent:
            yield f"{'  ' * len(around)}}}\n"
            around.pop()
        fill = LIGHT.frame(len(around))
        around.append(number)
        margin = "  " * len(around)
        yield f"{margin}subgraph cluster_{number} {{\n"
        yield f'{margin}  label="{_escaped(group.label)}\\l"; tooltip="{_escaped(*group.tip)}";\n'
        yield f'{margin}  class="module"; id="frame-{number}"; fontsize=10; '
        yield f'fontcolor="{LIGHT.quiet}";\n{margin}  style="filled,rounded"; '
        yield f'fillcolor="{fill}"; color="{LIGHT.frame_line}";\n'
        if boxes[number]:
            yield f"{margin}  {'; '.join(boxes[number])};\n"
    yield from (f"{'  ' * depth}}}\n" for depth in range(len(around), 0, -1))


def _role_defaults(role: Role) -> str:
    shape, (fill, line) = SHAPES[role], LIGHT.boxes[role]
    style = "filled,dashed" if shape.dashed else "filled,rounded" if shape.corner else "filled"
    return (
        f'  node [class="{role.value}", id="node-\\N", style="{style}", fillcolor="{fill}", '
        f'color="{line}", fontcolor="{LIGHT.heading(role)}", penwidth={shape.line_width:g}];\n'
    )


def _edges(view: View, names: list[str], *, reverse: bool) -> Iterator[str]:
    tails, heads = (view.source, view.target) if reverse else (view.target, view.source)
    carried = view.carried or (False,) * len(view.label)
    for tail, head, label, back in zip(tails, heads, view.label, carried, strict=True):
        if back:
            text = f', label="{_escaped(label)}"' if label else ""
            yield f"  {names[tail]} -> {names[head]} [style=dashed, constraint=false{text}];\n"
        elif label:
            yield f'  {names[tail]} -> {names[head]} [label="{_escaped(label)}"];\n'
        else:
            yield f"  {names[tail]} -> {names[head]};\n"


def _legend(view: View) -> Iterator[str]:
    """Show each role that occurs once, in a box that stands apart."""
    shown = {face.role for face in view.faces}
    yield '  subgraph cluster_legend {\n    label="legend"; fontsize=10; color="#c8d0da";\n'
    for role in Role:
        if role in shown:
            yield "  " + _role_defaults(role).replace("node-", "")
            yield f'    "legend-{role.value}" [label="{role.label}", fontsize=9, tooltip=""];\n'
    yield "  }\n"
