"""Paths from a tensor to the root: for a terminal, as tab-separated values, as JSON.

    {"schema": "agi.path/1",
     "capture": {"target", "expression"},
     "tensor", "node", "reason",
     "count", "count_log10", "shortest", "longest", "nodes",
     "roots": [{"node", "name"}],
     "paths": [[step]], "trunk": [step], "direct": [step],
     "cuts": [{"op", "kind", "text", "place"}]}

A step is {"node", "op", "title", "name", "output", "place", "module", "class", "call", "norm",
"ways", "between"}: the tensor's own first, `ways` and `between` as `Way` has them. A count beyond
2**53, which many readers of JSON would round, is a string in hexadecimal, exact all the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from autograd_inspect.model.flow import Cut
from autograd_inspect.model.paths import Paths, Way, logarithm, readable
from autograd_inspect.model.rows import Node
from autograd_inspect.renderers.text import (
    Glyphs,
    Origins,
    Segment,
    counted,
    exact,
    glyphs,
    gradient,
    label_of,
    listed,
    paint,
    safe,
    sign_of,
    width_of,
)

SCHEMA = "agi.path/1"

#: What a narrow terminal goes without, in this order.
_DISPENSABLE = ("class", "module", "line")
_HEADINGS = (
    *("path", "node", "op", "title", "name", "shape", "dtype", "device", "module", "class", "call"),
    *("file", "line", "function", "norm", "ways", "between"),
)


def render(
    paths: Paths,
    *,
    width: int | None = None,
    most: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Write paths for a terminal: how many, then each, or what all of them run through.

    Of a path of more than `most` nodes the middle is left out, and counted.
    """
    pen = _Pen(paths, glyphs(ascii=ascii), width, most)
    return "".join(f"{paint(line, color=color)}\n" for line in pen.draw())


def headline(paths: Paths, *, ascii: bool = False) -> str:  # noqa: A002 - named as the option
    """Say in one line how many paths there are, or why there is none."""
    name = safe(paths.name, ascii=ascii)
    if paths.node is None:
        return f"{name}: {paths.reason}"
    names = [root.name for root in paths.roots]
    several = len(names) > 1 or not names[0]
    roots = counted(len(names), "root") if several else safe(names[0], ascii=ascii)
    outputs = len(paths.node.outputs)
    if outputs > 1:
        name += f" (any of the {outputs:,} outputs of {safe(paths.node.title, ascii=ascii)})"
    number = f"{readable(paths.count)} {'path' if paths.count == 1 else 'paths'}"
    span = f"{paths.shortest:,}"
    if paths.longest > paths.shortest:
        span += f" to {paths.longest:,}"
    through = f", through {paths.nodes:,} in all" if paths.nodes > paths.longest else ""
    noun = "node" if paths.longest == 1 else "nodes"
    return f"{name} {glyphs(ascii=ascii).gives} {roots}: {number} of {span} {noun}{through}"


def tabbed(paths: Paths) -> str:
    """Write a row per node of each path as tab-separated values, nothing cut or rounded."""
    lines = ["\t".join(_HEADINGS)]
    for title, way in _sections(paths):
        for node, ways, between in _steps(paths, way):
            step = _step(paths, node)
            output = step["output"] or {"shape": [], "dtype": "", "device": ""}
            place = step["place"] or {"file": "", "line": "", "function": ""}
            values = (
                *(title, node.index, step["op"], step["title"], step["name"]),
                node.outputs[0].shape_text if node.outputs and node.outputs[0] else "",
                *(output["dtype"], output["device"], step["module"], step["class"]),
                step["call"] or "",
                *(place["file"], place["line"], place["function"]),
                exact(step["norm"]) if step["norm"] is not None else "",
                *(_whole(ways), between),
            )
            lines.append("\t".join(safe(str(value)) for value in values))
    return "".join(f"{line}\n" for line in lines)


def to_json(paths: Paths) -> str:
    """Write paths as one JSON object; NaN and infinities are strings."""
    about = paths.capture.about
    shown = {
        "schema": SCHEMA,
        "capture": {"target": about.target, "expression": about.expression},
        "tensor": paths.name,
        "node": paths.index if paths.index >= 0 else None,
        "reason": paths.reason,
        "count": _number(paths.count),
        "count_log10": logarithm(paths.count) if paths.count else None,
        "shortest": paths.shortest,
        "longest": paths.longest,
        "nodes": paths.nodes,
        "roots": [{"node": root.node.index, "name": root.name} for root in paths.roots],
        "paths": [_as_json(paths, way) for way in paths.every],
        "trunk": _as_json(paths, paths.trunk),
        "direct": _as_json(paths, paths.direct),
        "cuts": [_cut(cut) for cut in paths.cuts],
    }
    return json.dumps(shown, allow_nan=False) + "\n"


class _Pen:
    """Draws paths, in columns as wide as all of them need."""

    def __init__(self, paths: Paths, signs: Glyphs, width: int | None, most: int | None) -> None:
        self._paths = paths
        self._signs = signs
        self._width = width
        self._most = most
        self._origins = Origins(paths.capture.graph)
        self._left_out: set[str] = set()
        self._sizes = [0] * 4
        self._fit()

    def draw(self) -> Iterator[list[Segment]]:
        """Draw line by line."""
        paths = self._paths
        yield [(headline(paths, ascii=self._plain), "bold")]
        for number, (title, way) in enumerate(_sections(paths)):
            heading = self._heading(title, way, number)
            if heading:
                yield []
                yield [(heading, "bold")]
            yield from self._way(way)
        if paths.node is None:
            for cut in paths.cuts:
                yield [(self._cut(cut), "")]

    @property
    def _plain(self) -> bool:
        return self._signs.rail.isascii()

    def _heading(self, title: str, way: Way, number: int) -> str:
        every = self._paths.every
        if title == "trunk":
            through = "this node" if len(way) == 1 else f"these {len(way):,} nodes"
            alone = self._paths.direct is not None and len(self._paths.direct) == len(way)
            return f"all of them run through {through}{', the shortest no other' * alone}:"
        if title == "shortest":
            return f"the shortest, {counted(len(way), 'node')}:"
        if len(every) == 1:
            return ""
        paths = math.prod(way.ways)
        number_of = f", {readable(paths)} paths" if paths > 1 else ""
        return f"way {number + 1} of {len(every)}, {counted(len(way), 'node')}{number_of}:"

    def _way(self, way: Way) -> Iterator[list[Segment]]:
        for place in self._shown(way):
            if isinstance(place, range):
                yield [(self._left(way, place), "bold")]
                continue
            yield from self._line(self._paths.capture.graph.node(int(way.node[place])))
            beyond = self._between(way, place)
            if beyond:
                yield [(f"  {beyond}", "yellow")]

    def _shown(self, way: Way) -> Iterator[int | range]:
        """Give the places to draw, and as a range those left out."""
        count = len(way)
        if self._most is None or count <= self._most:
            yield from range(count)
            return
        head = max(2 * self._most // 3, 1)
        stop = max(count - (self._most - head), head)
        yield from range(head)
        yield range(head, stop)
        yield from range(stop, count)

    def _left(self, way: Way, places: range) -> str:
        paths = math.prod(way.ways[places.start : places.stop])
        between = f" and {readable(paths)} paths between them" if paths > 1 else ""
        nodes = counted(len(places), "node")
        return f"{self._signs.ellipsis} {nodes}{between} not shown: a pipe has them"

    def _between(self, way: Way, place: int) -> str:
        """Say what lies between a node and the next one, where it is more than an edge."""
        ways, nodes = way.ways[place], int(way.between[place])
        last = place == len(way) - 1
        if ways == 1 and not nodes:
            return ""
        dots = self._signs.ellipsis
        if not nodes and not last:
            return f"{dots} {readable(ways)} edges"
        through = f" through {counted(nodes, 'node')}" if nodes else ""
        to_roots = f" to {counted(len(self._paths.roots), 'root')}" if last else ""
        return f"{dots} {readable(ways)} {'path' if ways == 1 else 'paths'}{through}{to_roots}"

    def _cells(self, node: Node) -> list[list[Segment]]:
        """Write a node's columns: what it is, its shape, its module, its line, its gradient."""
        table, plain = node.graph.node_table, self._plain
        module = self._origins.module_cell(
            int(table.call[node.index]), self._signs, classes="class" not in self._left_out
        )
        place = self._origins.place_of_stack(int(table.stack[node.index]))
        shapes = [spec.shape_text if spec else "?" for spec in dict.fromkeys(node.outputs)]
        norm = self._paths.norms.get(node.index)
        return [
            [sign_of(node, self._signs), *label_of(node, self._signs)],
            [(safe(listed(shapes, most=2), ascii=plain), "cyan")],
            module if "module" not in self._left_out else [],
            [(safe(place, ascii=plain), "dim")] if "line" not in self._left_out else [],
            [gradient(norm, self._signs)] if norm is not None else [],
        ]

    def _line(self, node: Node) -> Iterator[list[Segment]]:
        """Lay out a node; what does not fit goes on in the next line."""
        line: list[Segment] = []
        used = 0
        for cell, size in zip(self._cells(node), [*self._sizes, 0], strict=True):
            own, gap = width_of(cell), 2 if used else 0
            if self._width and used and own and used + gap + own > self._width:
                yield line
                line, used, gap = [("    ", "")], 4, 0
            filled = max(size, own)
            if filled:
                line += [(" " * gap, ""), *cell, (" " * (filled - own), "")]
                used += gap + filled
        yield line

    def _fit(self) -> None:
        """Choose the columns' widths, and what there is no room for."""
        graph = self._paths.capture.graph
        nodes = dict.fromkeys(
            int(way.node[place])
            for _, way in _sections(self._paths)
            for place in self._shown(way)
            if isinstance(place, int)
        )
        for left_out in (None, *_DISPENSABLE):
            if left_out:
                self._left_out.add(left_out)
            cells = [[width_of(cell) for cell in self._cells(graph.node(node))] for node in nodes]
            sizes = [max(column) for column in zip(*cells, strict=True)]
            self._sizes = sizes[:-1]
            if self._width is None or sum(sizes) + 2 * sum(map(bool, sizes)) - 2 <= self._width:
                break

    def _cut(self, cut: Cut) -> str:
        text = f"cut at {self._origins.cut(cut)}" if cut.place else f"cut: {self._origins.cut(cut)}"
        uses = listed([self._origins.use(use) for use in cut.uses], most=2)
        return safe(f"{text}; went into {uses}" if uses else text, ascii=self._plain)


def _sections(paths: Paths) -> Iterator[tuple[str, Way]]:
    """Give what is written out: each path, or for too many the trunk and the shortest."""
    for number, way in enumerate(paths.every):
        yield str(number + 1), way
    if paths.every or paths.trunk is None or paths.direct is None:
        return
    yield "trunk", paths.trunk
    if len(paths.direct) > len(paths.trunk):
        yield "shortest", paths.direct


def _steps(paths: Paths, way: Way | None) -> Iterator[tuple[Node, int, int]]:
    if way is not None:
        for index, ways, between in zip(
            way.node.tolist(), way.ways, way.between.tolist(), strict=True
        ):
            yield paths.capture.graph.node(index), ways, between


def _step(paths: Paths, node: Node) -> dict[str, Any]:
    """Give all that is known of a node on a path."""
    spec = node.outputs[0] if node.outputs else None
    call = node.call
    names = [root.name for root in node.graph.roots_at.get(node.index, ())]
    return {
        "node": node.index,
        "op": node.op,
        "title": node.title,
        "name": (node.leaf.name if node.leaf else "") or ", ".join(names) or node.variable,
        "output": asdict(spec) if spec else None,
        "place": asdict(node.place) if node.place else None,
        "module": call.module.full_name if call else "",
        "class": call.module.cls if call else "",
        "call": call.number if call else None,
        "norm": paths.norms.get(node.index),
    }


def _as_json(paths: Paths, way: Way | None) -> list[dict[str, Any]]:
    return [
        {
            **_step(paths, node),
            "norm": _finite(paths.norms.get(node.index)),
            "ways": _number(ways),
            "between": between,
        }
        for node, ways, between in _steps(paths, way)
    ]


def _cut(cut: Cut) -> dict[str, Any]:
    return {
        "op": cut.op,
        "kind": cut.kind.name.lower(),
        "text": cut.kind.text,
        "place": asdict(cut.place) if cut.place else None,
    }


def _finite(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else repr(value)


def _number(count: int) -> int | str:
    return count if count <= 2**53 else hex(count)


def _whole(count: int) -> str:
    return str(_number(count))
