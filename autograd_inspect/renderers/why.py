"""Why a tensor has the gradient it has: in sentences, and as JSON.

    {"schema": "agi.why/1",
     "capture": {"target", "expression"},
     "tensor", "verdict", "why": [sentence],
     "gradient": {"reason", "norm", "zeros", "nan", "inf", "count"},
     "paths": number of paths to the roots,
     "dies": node, "shrinks": {node, "factor"}, "first_nonfinite": node,
     "steps": [{node, "norm"}],
     "cuts": [{"op", "kind", "text", "place", "region", "reaches", "uses": [{"op", "place"}]}]}

A node is {"node", "title", "place"}; `steps` are those of the shortest path, from the tensor to the
root, with the norm of the gradient that arrived at each.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from autograd_inspect.model.flow import Cut
from autograd_inspect.model.rows import Node
from autograd_inspect.model.why import Verdict, Why
from autograd_inspect.renderers.text import figure, safe

SCHEMA = "agi.why/1"

_VERDICTS = {
    Verdict.ARRIVED: "has a gradient",
    Verdict.ZERO: "has a gradient of exactly zero",
    Verdict.NONFINITE: "has a gradient that is not finite",
    Verdict.CUT: "has no gradient: it is cut off from the root",
    Verdict.UNUSED: "has no gradient: the root does not depend on it",
    Verdict.NO_GRAD: "has no gradient: it does not require one",
    Verdict.NOT_A_LEAF: "has no gradient: it is not a leaf",
    Verdict.UNKNOWN: "has no gradient that was recorded",
}


def headline(why: Why, *, ascii: bool = False) -> str:  # noqa: A002 - named as the option
    """Say in one line what came of the gradient."""
    gradient = why.gradient
    size = ""
    if why.verdict is Verdict.ARRIVED:
        known = gradient is not None and gradient.present
        norm = gradient.norm if gradient and known else why.paths.norms.get(why.paths.index)
        size = f" of norm {figure(norm)}" if norm is not None else ""
    if why.verdict is Verdict.NONFINITE and gradient is not None and gradient.present:
        size = (
            f": {gradient.nan:,} NaN and {gradient.inf:,} infinite of {gradient.count:,} elements"
        )
    return safe(f"{why.paths.name} {_VERDICTS[why.verdict]}{size}", ascii=ascii)


def sentences(why: Why, *, ascii: bool = False) -> list[str]:  # noqa: A002 - named as the option
    """Say why, a line each."""
    return [safe(line, ascii=ascii) for line in why.why]


def to_json(why: Why) -> str:
    """Write the answer as one JSON object; NaN and infinities are strings."""
    about, gradient = why.paths.capture.about, why.gradient
    shown = {
        "schema": SCHEMA,
        "capture": {"target": about.target, "expression": about.expression},
        "tensor": why.paths.name,
        "verdict": why.verdict.value,
        "why": list(why.why),
        "gradient": None
        if gradient is None
        else {
            "reason": gradient.reason.text,
            "norm": _number(gradient.norm) if gradient.present else None,
            **{key: getattr(gradient, key) for key in ("zeros", "nan", "inf", "count")},
        },
        "paths": why.paths.count if why.paths.count <= 2**53 else hex(why.paths.count),
        "dies": _node(why.dies),
        "shrinks": None
        if why.shrinks is None
        else {**(_node(why.shrinks[0]) or {}), "factor": why.shrinks[1]},
        "first_nonfinite": _node(why.birth.node if why.birth is not None else None),
        "steps": _steps(why),
        "cuts": [_cut(cut) for cut in why.cuts],
    }
    return json.dumps(shown, allow_nan=False) + "\n"


def _steps(why: Why) -> list[dict[str, Any]]:
    way, graph = why.paths.direct, why.paths.capture.graph
    return [
        {**(_node(graph.node(node)) or {}), "norm": _number(why.paths.norms.get(node))}
        for node in (way.node.tolist() if way is not None else ())
    ]


def _node(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    place = asdict(node.place) if node.place is not None else None
    return {"node": node.index, "title": node.title, "place": place}


def _cut(cut: Cut) -> dict[str, Any]:
    return {
        "op": cut.op,
        "kind": cut.kind.name.lower(),
        "text": cut.kind.text,
        "place": asdict(cut.place) if cut.place else None,
        "region": asdict(cut.region) if cut.region else None,
        "reaches": cut.reaches,
        "uses": [
            {"op": use.op, "place": asdict(use.place) if use.place else None} for use in cut.uses
        ],
    }


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else repr(value)
