"""The places where the program cut the graph: for a terminal, as tab-separated values, as JSON.

    {"schema": "agi.cuts/1",
     "capture": {"target", "expression", "recording"},
     "cuts": [{"op", "kind", "text", "place", "stack", "region", "module", "tensor", "times",
               "raised", "reaches", "leaves", "uses"}]}

`stack` has the user's lines, innermost first, as `place` and `region` are written; `uses` are
{"op", "place", "node", "times"}, `node` null where the value went into none of the graph. In every
form the cuts on the way to the root come first, else the order is that of the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import Cut, CutUse
from autograd_inspect.model.places import Place
from autograd_inspect.renderers.text import (
    Origins,
    Segment,
    counted,
    listed,
    paint,
    safe,
)

SCHEMA = "agi.cuts/1"

#: On a terminal more leaves, or uses, are counted.
_FEW = 8
_HEADINGS = (
    *("file", "line", "function", "op", "kind", "text", "region", "module", "class", "shape"),
    *("dtype", "device", "times", "raised", "reaches", "leaves", "uses"),
)


def render(
    capture: Capture,
    *,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Write the cuts as a list for people to read."""
    cuts = _ordered(capture)
    leading = sum(cut.reaches for cut in cuts)
    places = f"{counted(len(cuts), 'place')} cut the graph, {leading:,} on the way to the root"
    lines: list[Segment] = [(places if cuts else "no place cut the graph", "bold")]
    origins = Origins(capture.graph)
    for cut in cuts:
        lines += [("", ""), *_entry(cut, origins)]
    return "".join(
        f"{paint([(safe(text, ascii=ascii), style)], color=color)}\n" for text, style in lines
    )


def tabbed(capture: Capture) -> str:
    """Write a row per cut as tab-separated values, nothing cut or rounded."""
    rows = [_HEADINGS, *map(_values, _ordered(capture))]
    return "".join("\t".join(map(safe, row)) + "\n" for row in rows)


def to_json(capture: Capture) -> str:
    """Write the cuts as one JSON object, each in a line."""
    about = capture.about
    head = {
        "schema": SCHEMA,
        "capture": {
            "target": about.target,
            "expression": about.expression,
            "recording": about.recording.value,
        },
    }
    rows = ",\n".join(json.dumps(as_json(cut)) for cut in _ordered(capture))
    return f'{json.dumps(head)[:-1]}, "cuts": [\n{rows}\n]}}\n'


def as_json(cut: Cut) -> dict[str, Any]:
    """Give all that is known of a cut."""
    module = cut.module
    return {
        "op": cut.op,
        "kind": cut.kind.name.lower(),
        "text": cut.kind.text,
        "place": _place(cut.place),
        "stack": [_place(place) for place in cut.stack],
        "region": _place(cut.region),
        "module": module.full_name if module else "",
        "class": module.cls if module else "",
        "tensor": asdict(cut.spec) if cut.spec else None,
        "times": cut.times,
        "raised": cut.raised,
        "reaches": cut.reaches,
        "leaves": list(cut.leaves),
        "uses": [
            {
                "op": use.op,
                "place": _place(use.place),
                "node": use.node.index if use.node else None,
                "times": use.times,
            }
            for use in cut.uses
        ],
    }


def _ordered(capture: Capture) -> list[Cut]:
    return sorted(capture.graph.cuts, key=lambda cut: not cut.reaches)


def _entry(cut: Cut, origins: Origins) -> Iterator[Segment]:
    """Write one cut: a sentence, and below it what is known beyond."""
    yield origins.cut(cut), "bold" if cut.reaches else ""
    where = [f"in {cut.place.function}" if cut.place and "<" not in cut.place.function else ""]
    if cut.module:
        where.append(f"module {origins.module(cut.module)} ({cut.module.cls})")
    where += [str(cut.spec or ""), "once" if cut.times == 1 else f"{cut.times:,} times"]
    yield f"  {', '.join(filter(None, where))}", "dim"
    if cut.leaves:
        yield f"  behind it: {listed(cut.leaves, most=_FEW)}", "magenta"
    if cut.uses:
        uses = [_use(use, origins) for use in cut.uses]
        yield f"  went into: {listed(uses, most=_FEW)}", ""
    if cut.reaches:
        yield "  on the way to the root", "yellow"


def _use(use: CutUse, origins: Origins) -> str:
    return origins.use(use) + (f" {use.times:,} times" if use.times > 1 else "")


def _values(cut: Cut) -> tuple[str, ...]:
    place, module, spec = cut.place, cut.module, cut.spec
    uses = (f"{use.op} {use.place or ''}".rstrip() for use in cut.uses)
    return (
        *((place.file, str(place.line), place.function) if place else ("", "", "")),
        *(cut.op, cut.kind.name.lower(), cut.kind.text, str(cut.region or "")),
        *((module.full_name, module.cls) if module else ("", "")),
        *((spec.shape_text, spec.dtype, spec.device) if spec else ("", "", "")),
        *(str(cut.times), str(cut.raised).lower(), str(cut.reaches).lower()),
        *(", ".join(cut.leaves), "; ".join(uses)),
    )


def _place(place: Place | None) -> dict[str, Any] | None:
    return asdict(place) if place else None
