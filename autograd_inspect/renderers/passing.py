"""The gradients at the nodes as a table: for a terminal, a pipe, as CSV, as JSON.

    {"schema": "agi.grads.nodes/1",
     "capture": {"target", "expression", ...},
     "first_nonfinite": {"node", "op", "place", "index", "value", "arrived", "operands", "formula",
                         "source", "maker"},
     "rows": [{"node", "turn", "op", "title", "variable", "shape", "module", "place", "norm", "max",
               "zeros", "nan", "inf", "count", "nanoseconds"}]}

A row's figures are of the gradient that arrived at the node, at all its outputs together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.rows import Node
from autograd_inspect.renderers import births, sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import Glyphs, Origins, exact, figure, glyphs, label_of, safe

SCHEMA = "agi.grads.nodes/1"

_DISPENSABLE = ("max", "module", "zeros", "time", "shape", "line")


def render(
    capture: Capture,
    rows: Sequence[Node],
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay rows out for a terminal; columns that have no room are left out and named below."""
    return _sheet(capture.graph, rows, glyphs(ascii=ascii)).render(rows, width=width, color=color)


def tabbed(rows: Sequence[Node]) -> str:
    """Write rows as tab-separated values under one line of headings, nothing cut or rounded."""
    return sheet.tabbed(_exact_values(rows))


def csv(rows: Sequence[Node]) -> str:
    """Write rows as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(rows))


def to_json(capture: Capture, rows: Sequence[Node], trouble: NonFinite | None) -> str:
    """Write rows as one JSON object, each row in a line; NaN and infinities are strings."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        "capture": sheet.about(capture),
        "first_nonfinite": births.to_json(trouble),
    }
    return sheet.to_json(head, map(_as_json, rows))


def _sheet(graph: Graph, rows: Sequence[Node], signs: Glyphs) -> Sheet[Node]:
    origins, plain = Origins(graph), signs.rail.isascii()
    columns: list[Column[Node]] = [
        Column("#", lambda node: str(node.index), lambda _: "dim"),
        Column(
            "operation",
            lambda node: "".join(text for text, _ in label_of(node, signs)),
            _style,
            right=False,
        ),
        Column("shape", _shape, lambda _: "cyan", right=False),
        Column("module", lambda node: safe(_module(node), ascii=plain), right=False),
        Column(
            "line",
            lambda node: safe(origins.place(node.place), ascii=plain),
            lambda _: "dim",
            right=False,
        ),
        Column("norm", lambda node: figure(node.gradient.norm) if node.gradient else "", _style),
        Column("max", lambda node: figure(node.gradient.max) if node.gradient else ""),
        Column("zeros", lambda n: sheet.share(n.gradient.zero_share) if n.gradient else ""),
        Column("NaN", lambda node: f"{node.gradient.nan:,}" if node.gradient else "", _style),
        Column("Inf", lambda node: f"{node.gradient.inf:,}" if node.gradient else "", _style),
        Column("time", lambda node: _time(node.spent), lambda _: "dim"),
    ]
    odd = any(node.gradient and not node.gradient.is_finite for node in rows)
    silent = [] if odd else ["NaN", "Inf"]
    silent += [] if graph.modules else ["module"]
    return Sheet(columns, silent, _DISPENSABLE)


def _style(node: Node) -> str:
    gradient = node.gradient
    if gradient is not None and not gradient.is_finite:
        return "bold red"
    return "yellow" if gradient is None or not gradient.norm else ""


def _shape(node: Node) -> str:
    return ", ".join(spec.shape_text if spec else "?" for spec in node.outputs)


def _module(node: Node) -> str:
    return node.graph.module_name(node.call.module) if node.call else ""


def _time(nanoseconds: int) -> str:
    if nanoseconds < 0:
        return ""
    return f"{nanoseconds / 1e3:,.0f} us" if nanoseconds < 1e7 else f"{nanoseconds / 1e6:,.1f} ms"


def _exact_values(rows: Sequence[Node]) -> Iterator[list[str]]:
    yield [
        *("node", "turn", "op", "title", "variable", "shape", "module", "line"),
        *("norm", "max", "zeros", "nan", "inf", "count", "nanoseconds"),
    ]
    for node in rows:
        gradient = node.gradient
        told = [""] * 6
        if gradient is not None:
            counts = (gradient.zeros, gradient.nan, gradient.inf, gradient.count)
            told = [exact(gradient.norm), exact(gradient.max), *map(str, counts)]
        words = [node.title, node.variable, _shape(node), _module(node), str(node.place or "")]
        known = [str(node.index), str(node.turn), node.op, *map(safe, words)]
        yield [*known, *told, str(node.spent)]


def _as_json(node: Node) -> dict[str, object]:
    gradient, place = node.gradient, node.place
    names = ("norm", "max", "zeros", "nan", "inf", "count")
    return {
        "node": node.index,
        "turn": node.turn,
        "op": node.op,
        "title": node.title,
        "variable": node.variable,
        "shape": [list(spec.shape) if spec else None for spec in node.outputs],
        "module": _module(node),
        "place": dataclasses.asdict(place) if place else None,
        **{name: sheet.number(getattr(gradient, name)) if gradient else None for name in names},
        "nanoseconds": node.spent,
    }
