"""JSON: the whole graph, for other programs.

    {"schema": "agi.graph/1",
     "capture": {"target", "expression", ...}      what is known of the run
     "nodes": [{"id", "op", "kind", "sequence", "depth",
                "outputs", "attributes", "saved", "hooks"}],
     "edges": [{"source", "slot", "target", "output"}],
     "roots": [{"node", "output", "name"}],
     "leaves": [{"node", "name", "requires_grad", "output"}]}

`outputs` are {"shape", "dtype", "device"} or null where torch does not tell; `sequence` is null for
leaves, `hooks` where torch does not show them. Edges run from the root's side to the leaves' side;
input slots that lead nowhere have none. It is strict JSON: NaN and infinities are strings.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from itertools import chain, pairwise, repeat

from autograd_inspect.model.capture import About, Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind, SavedState

SCHEMA = "agi.graph/1"


def render(capture: Capture) -> str:
    """Write a capture's graph as one JSON object, a line per node and per edge."""
    return "".join(pieces(capture))


def pieces(capture: Capture) -> Iterator[str]:
    """Give the same text piece by piece, for writing a large graph as it comes."""
    graph = capture.graph
    yield f'{{"schema": {_text(SCHEMA)},\n"capture": {_text(_about(capture.about))}'
    for name, rows in (
        ("nodes", _nodes(graph)),
        ("edges", _edges(graph)),
        ("roots", _roots(graph)),
        ("leaves", _leaves(graph)),
    ):
        yield f',\n"{name}": ['
        # The comma goes before each row but the first.
        for comma, row in zip(chain(("\n",), repeat(",\n")), rows, strict=False):
            yield f"{comma}{row}"
        yield "\n]"
    yield "}\n"


def _nodes(graph: Graph) -> Iterator[str]:
    table = graph.node_table
    ops = [_text(op) for op in graph.ops]
    kinds = [_text(kind.label) for kind in Kind]
    attributes = [_text(json.loads(text)) for text in graph.attributes]
    saved = _saved(graph)
    columns = zip(
        table.op.tolist(),
        table.kind.tolist(),
        table.sequence.tolist(),
        table.depth.tolist(),
        table.attributes.tolist(),
        table.hooks.tolist(),
        _outputs(graph),
        strict=True,
    )
    for node, (op, kind, sequence, depth, row, hooks, outputs) in enumerate(columns):
        yield (
            f'{{"id": {node}, "op": {ops[op]}, "kind": {kinds[kind]}, '
            f'"sequence": {_or_null(sequence)}, "depth": {depth}, "outputs": [{outputs}], '
            f'"attributes": {attributes[row]}, "saved": [{", ".join(saved.get(node, ()))}], '
            f'"hooks": {_or_null(hooks)}}}'
        )


def _outputs(graph: Graph) -> Iterator[str]:
    specs = [*map(_text, map(dataclasses.asdict, graph.specs)), "null"]  # -1 finds the null
    rows = [specs[row] for row in graph.output_table.spec.tolist()]
    starts = graph.output_table.start.tolist()
    for first, last in pairwise(starts):
        yield ", ".join(rows[first:last])


def _saved(graph: Graph) -> dict[int, list[str]]:
    table = graph.saved_table
    specs = [*map(_text, map(dataclasses.asdict, graph.specs)), "null"]
    names = [*map(_text, graph.names), '""']
    states = [_text(state.name.lower()) for state in SavedState]
    saved: dict[int, list[str]] = {}
    columns = (table.node, table.name, table.spec, table.bytes, table.state)
    for node, name, spec, size, state in zip(*(c.tolist() for c in columns), strict=True):
        saved.setdefault(node, []).append(
            f'{{"name": {names[name]}, "tensor": {specs[spec]}, "bytes": {size}, '
            f'"state": {states[state]}}}'
        )
    return saved


def _edges(graph: Graph) -> Iterator[str]:
    table = graph.edge_table
    starts = table.start.tolist()
    targets, outputs = table.target.tolist(), table.output.tolist()
    for source, (first, last) in enumerate(pairwise(starts)):
        for edge in range(first, last):
            if targets[edge] >= 0:
                yield (
                    f'{{"source": {source}, "slot": {edge - first}, '
                    f'"target": {targets[edge]}, "output": {outputs[edge]}}}'
                )


def _roots(graph: Graph) -> Iterator[str]:
    for root in graph.roots:
        yield _text({"node": root.node.index, "output": root.output, "name": root.name})


def _leaves(graph: Graph) -> Iterator[str]:
    table = graph.leaf_table
    columns = (table.node.tolist(), table.name.tolist(), table.requires_grad.tolist())
    for node, name, requires_grad in zip(*columns, strict=True):
        yield _text({"node": node, "name": graph.name(name), "requires_grad": requires_grad})


def _about(about: About) -> dict[str, object]:
    facts = dataclasses.asdict(about)
    return {**facts, "versions": dict(about.versions), "backward": about.backward.value}


def _or_null(number: int) -> str:
    return str(number) if number >= 0 else "null"


def _text(value: object) -> str:
    return json.dumps(_strict(value), allow_nan=False)


def _strict(value: object) -> object:
    """Write what JSON has no number for as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(name): _strict(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(part) for part in value]
    return value
