"""In words: where a gradient first became NaN or infinite, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.nonfinite import NonFinite
from autograd_inspect.model.places import Place
from autograd_inspect.model.probes import Operand
from autograd_inspect.model.rows import Node
from autograd_inspect.renderers.text import Origins, paint, safe


def lines_of(found: NonFinite, origins: Origins) -> Iterator[str]:
    """Say where it began, the values that explain it, and where those came from."""
    node, birth = found.node, found.birth
    sent = node.edges[birth.slot]
    which = f" for {name}" if (name := _name_of(sent.target)) else ""
    arrived = f"; {birth.arrived} arrived there" if birth.arrived else ""
    yield (
        f"gradient first {_word(birth.value)} at {node.title}{_at(origins, node.place)}{which}: "
        f"element {_index(birth.index)} is {birth.value}{arrived}"
    )
    values = ", ".join(map(_operand, found.operands))
    if found.formula and values:
        yield f"  {found.formula}, with {values}"
    elif values:
        yield f"  it saved {values}"
    yield from _forward(found, origins)


def render(
    found: NonFinite,
    *,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Write it in a few lines, below a table."""
    lines = lines_of(found, Origins(found.node.graph))
    return "".join(
        paint([(safe(line, ascii=ascii), "bold red")], color=color) + "\n" for line in lines
    )


def to_json(found: NonFinite | None) -> dict[str, object] | None:
    """Write it for programs; None where every gradient is finite."""
    if found is None:
        return None
    place = found.place
    return {
        "node": found.node.index,
        "op": found.node.op,
        "place": dataclasses.asdict(place) if place else None,
        "index": list(found.birth.index),
        "value": found.birth.value,
        "arrived": found.birth.arrived,
        "operands": [dataclasses.asdict(one) for one in found.operands],
        "formula": found.formula,
        "source": found.source.index if found.source else None,
        "maker": found.birth.maker,
    }


def _forward(found: NonFinite, origins: Origins) -> Iterator[str]:
    graph: Graph = found.node.graph
    birth, source = found.birth, found.source
    if birth.maker:
        place = _at(origins, graph.place_of(birth.made))
        yield f"  the forward was not finite already: first out of {birth.maker}{place}"
    elif source is not None:
        yield (
            f"  the forward was not finite already: first, in this graph, out of "
            f"{source.title}{_at(origins, source.place)}; --watch looks outside of it, too"
        )


def _operand(operand: Operand) -> str:
    index = "" if not operand.index else _index(operand.index)
    text = f"{operand.name}{index} = {operand.value}" if operand.value else operand.name
    return f"{text} ({operand.remark})" if operand.remark else text


def _word(value: str) -> str:
    return "NaN" if value == "nan" else "infinite"


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _at(origins: Origins, place: Place | None) -> str:
    where = origins.place(place)
    return f" at {where}" if where else ""


def _name_of(node: Node | None) -> str:
    """Name the tensor whose gradient a node was sent."""
    if node is None:
        return ""
    return node.leaf.name if node.leaf else node.variable
