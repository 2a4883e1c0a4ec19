"""Graphs for the viewer: with module calls that repeat, and with names that try to break out."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from dataclasses import replace
from typing import Any

from build import graph_of, make_capture, with_origins

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Opening
from autograd_inspect.model.graph import Graph
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.renderers.html import Page

#: What a name in a program may be, where Python lets it: the page must show it, and no more.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'`${alert(1)}$data $scripts",
    "\u2028\u2029\x00\x1b[31m\x7f",
    "\u202egnol\u2066\ud800",
    "]]>--><!--",
)


def blocks(count: int, *, names: tuple[str, ...] = ("x",)) -> Graph:
    """Chain blocks of one module class, `h.0` first, each with a residual and a loop in it."""
    edges: list[list[int]] = []
    calls: dict[int, str] = {}
    for block in range(count):
        first = len(edges)
        edges += [[first + 1, first + 7]]
        edges += [[first + step + 1] for step in range(1, 7)]
        path = f"h.{count - 1 - block}"
        calls |= {first + at: f"{path}:Block" for at in range(7)}
        calls |= {first + at: f"{path}.inner:Inner" for at in range(1, 7)}
    last = len(edges)
    edges += [[last + at + 1 for at in range(len(names))], *([] for _ in names)]
    ops = ["AddBackward0", *(["SinBackward0", "MulBackward0"] * 3)] * count
    graph = graph_of(
        edges,
        ops=[*ops, "ReluBackward0", *(["AccumulateGrad"] * len(names))],
        names={0: "loss"} | {last + at + 1: name for at, name in enumerate(names)},
    )
    places = {node: f"model.py:{node % 7 + 10} forward" for node in range(last)}
    return with_origins(graph, calls=calls, places=places, variables={1: "hidden"})


def page_of(capture: Capture, opening: Opening | None = None) -> Page:
    """Make the page of a capture, all closed unless an opening is given."""
    return Page(capture, fold(capture), opening or Opening())


def hostile_capture() -> Capture:
    """Make a capture whose every name is one of `HOSTILE`."""
    graph = blocks(2, names=HOSTILE)
    modules = tuple(
        replace(module, owner=HOSTILE[0], path=f"{module.path}.{HOSTILE[1]}", cls=HOSTILE[2])
        for module in graph.modules
    )
    places = tuple(replace(place, file=HOSTILE[0], function=HOSTILE[3]) for place in graph.places)
    graph = replace(
        graph,
        modules=modules,
        places=places,
        ops=tuple(HOSTILE[at % len(HOSTILE)] + op for at, op in enumerate(graph.ops)),
    )
    return make_capture(graph, target=HOSTILE[0], notes=HOSTILE, error=HOSTILE[1])


def data_of(page: str) -> dict[str, Any]:
    """Read the facts and columns out of a page."""
    (text,) = re.findall(r'<script id="data"[^>]*>([A-Za-z0-9+/=]*)</script>', page)
    raw = zlib.decompress(base64.b64decode(text))
    (length,) = struct.unpack("<I", raw[:4])
    head: dict[str, Any] = json.loads(raw[4 : 4 + length])
    return head
