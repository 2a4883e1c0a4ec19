"""JSON: the whole graph, for other programs.

    {"schema": "agi.graph/1.2",
     "capture": {"target", "expression", "recording", ...}      what is known of the run
     "places": [{"file", "line", "function"}],
     "stacks": [{"lines", "library"}],
     "modules": [{"owner", "path", "class"}],
     "calls": [{"module", "number", "parent"}],
     "nodes": [{"id", "op", "title", "kind", "sequence", "depth", "outputs", "attributes",
                "saved", "hooks", "stack", "call", "variable", "turn", "spent", "gradients"}],
     "edges": [{"source", "slot", "target", "output", "gradient"}],
     "roots": [{"node", "output", "name"}],
     "leaves": [{"node", "name", "aliases", "requires_grad"}],
     "writes": [{"op", "stack", "module", "version"}],
     "cuts": [{"kind", "op", "stack", "module", "region", "tensor", "times", "raised", "reaches",
               "leaves", "uses"}],
     "births": [{"node", "slot", "index", "value", "arrived", "operands", "source", "made",
                 "maker"}]}

`outputs` are {"shape", "dtype", "device"} or null where torch does not tell; `sequence` is null for
leaves, `hooks` where torch does not show them. `saved` are {"name", "tensor", "bytes", "state",
"role", "origin", "packer", "stale", "write"}. `turn` and `spent` (nanoseconds) are null where
backward was not probed; a gradient is {"norm", "max", "zeros", "nan", "inf", "count"}, null where
none was measured; `births` are the nodes where finite gradients became NaN or infinite.

Where a row refers to a line of the tables above or below it does so by number, counted from 0, and
null is for none: a stack's `lines` are places, innermost first, a node's `stack` is a stack. Edges
run from the root's side to the leaves' side; input slots that lead nowhere have none. It is strict
JSON: NaN and infinities are strings.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from typing import SupportsInt

from autograd_inspect.model.capture import About, Capture
from autograd_inspect.model.flow import Cut
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.probes import Birth
from autograd_inspect.model.tables import Kind, SavedRole, SavedState

SCHEMA = "agi.graph/1.2"


def render(capture: Capture) -> str:
    """Write a capture's graph as one JSON object, a line per node and per edge."""
    return "".join(pieces(capture))


def pieces(capture: Capture) -> Iterator[str]:
    """Give the same text piece by piece, for writing a large graph as it comes."""
    graph = capture.graph
    yield f'{{"schema": {_text(SCHEMA)},\n"capture": {_text(_about(capture.about))}'
    for name, rows in (
        ("places", map(_text, map(dataclasses.asdict, graph.places))),
        ("stacks", _stacks(graph)),
        ("modules", _modules(graph)),
        ("calls", _calls(graph)),
        ("nodes", _nodes(graph)),
        ("edges", _edges(graph)),
        ("roots", _roots(graph)),
        ("leaves", _leaves(graph)),
        ("writes", _writes(graph)),
        ("cuts", map(_cut, graph.cuts)),
        ("births", map(_birth, graph.births)),
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
    names = [*map(_text, graph.names), '""']  # -1 finds the empty one
    titles = [[_text(forward_name(op, kind)) for kind in Kind] for op in graph.ops]
    kinds = [_text(kind.label) for kind in Kind]
    attributes = [_text(json.loads(text)) for text in graph.attributes]
    saved = _saved(graph)
    passed = _passed(graph)
    columns = zip(
        table.op.tolist(),
        table.kind.tolist(),
        table.sequence.tolist(),
        table.depth.tolist(),
        table.attributes.tolist(),
        table.hooks.tolist(),
        _outputs(graph),
        zip(table.stack.tolist(), table.call.tolist(), table.variable.tolist(), strict=True),
        zip(table.turn.tolist(), table.spent.tolist(), _arrived(graph, passed), strict=True),
        strict=True,
    )
    for node, (op, kind, sequence, depth, row, hooks, outputs, origin, probed) in enumerate(
        columns
    ):
        stack, call, variable = origin
        turn, spent, gradients = probed
        yield (
            f'{{"id": {node}, "op": {ops[op]}, "title": {titles[op][kind]}, "kind": {kinds[kind]}, '
            f'"sequence": {_or_null(sequence)}, "depth": {depth}, "outputs": [{outputs}], '
            f'"attributes": {attributes[row]}, "saved": [{", ".join(saved.get(node, ()))}], '
            f'"hooks": {_or_null(hooks)}, "stack": {_or_null(stack)}, "call": {_or_null(call)}, '
            f'"variable": {names[variable]}, "turn": {_or_null(turn)}, '
            f'"spent": {_or_null(spent)}, "gradients": [{gradients}]}}'
        )


def _outputs(graph: Graph) -> Iterator[str]:
    specs = [*map(_text, map(dataclasses.asdict, graph.specs)), "null"]  # -1 finds the null
    rows = [specs[row] for row in graph.output_table.spec.tolist()]
    starts = graph.output_table.start.tolist()
    for first, last in pairwise(starts):
        yield ", ".join(rows[first:last])


def _passed(graph: Graph) -> list[str]:
    """Write each gradient that was measured; -1 finds the null behind them."""
    table = graph.passed_table
    norms = [_number(norm) for norm in table.norm.tolist()]
    largest = [_number(most) for most in table.max.tolist()]
    counts = zip(
        *(c.tolist() for c in (table.zeros, table.nan, table.inf, table.count)), strict=True
    )
    rows = [
        f'{{"norm": {norm}, "max": {most}, "zeros": {_or_null(zeros)}, "nan": {nan}, "inf": {inf}, '
        f'"count": {count}}}'
        for norm, most, (zeros, nan, inf, count) in zip(norms, largest, counts, strict=True)
    ]
    return [*rows, "null"]


def _arrived(graph: Graph, passed: list[str]) -> Iterator[str]:
    rows = [passed[row] for row in graph.output_table.arrived.tolist()]
    for first, last in pairwise(graph.output_table.start.tolist()):
        yield ", ".join(rows[first:last])


def _birth(birth: Birth) -> str:
    rows = {name: _row(getattr(birth, name)) for name in ("source", "made")}
    return _text({**dataclasses.asdict(birth), **rows})


def _saved(graph: Graph) -> dict[int, list[str]]:
    table = graph.saved_table
    specs = [*map(_text, map(dataclasses.asdict, graph.specs)), "null"]
    names = [*map(_text, graph.names), '""']
    states = [_text(state.name.lower()) for state in SavedState]
    roles = [_text(role.label) for role in SavedRole]
    saved: dict[int, list[str]] = {}
    known = (table.node, table.name, table.spec, table.bytes, table.state)
    traced = (table.role, table.origin, table.packer, table.stale, table.write)
    columns = zip(*(column.tolist() for column in (*known, *traced)), strict=True)
    for node, name, spec, size, state, role, origin, packer, stale, write in columns:
        saved.setdefault(node, []).append(
            f'{{"name": {names[name]}, "tensor": {specs[spec]}, "bytes": {size}, '
            f'"state": {states[state]}, "role": {roles[role]}, "origin": {_or_null(origin)}, '
            f'"packer": {names[packer]}, "stale": {_text(stale)}, "write": {_or_null(write)}}}'
        )
    return saved


def _edges(graph: Graph) -> Iterator[str]:
    table = graph.edge_table
    starts = table.start.tolist()
    targets, outputs = table.target.tolist(), table.output.tolist()
    passed, rows = _passed(graph), table.passed.tolist()
    for source, (first, last) in enumerate(pairwise(starts)):
        for edge in range(first, last):
            if targets[edge] >= 0:
                yield (
                    f'{{"source": {source}, "slot": {edge - first}, '
                    f'"target": {targets[edge]}, "output": {outputs[edge]}, '
                    f'"gradient": {passed[rows[edge]]}}}'
                )


def _roots(graph: Graph) -> Iterator[str]:
    for root in graph.roots:
        yield _text({"node": root.node.index, "output": root.output, "name": root.name})


def _leaves(graph: Graph) -> Iterator[str]:
    for leaf in graph.leaves:
        yield _text(
            {
                "node": leaf.node.index,
                "name": leaf.name,
                "aliases": leaf.aliases,
                "requires_grad": leaf.requires_grad,
            }
        )


def _stacks(graph: Graph) -> Iterator[str]:
    for stack in graph.stacks:
        yield _text({"lines": stack.lines, "library": _row(stack.library)})


def _modules(graph: Graph) -> Iterator[str]:
    for module in graph.modules:
        yield _text({"owner": module.owner, "path": module.path, "class": module.cls})


def _calls(graph: Graph) -> Iterator[str]:
    table = graph.call_table
    columns = (table.module.tolist(), table.number.tolist(), table.parent.tolist())
    for module, number, parent in zip(*columns, strict=True):
        yield f'{{"module": {module}, "number": {number}, "parent": {_or_null(parent)}}}'


def _writes(graph: Graph) -> Iterator[str]:
    table = graph.write_table
    columns = (table.op, table.stack, table.module, table.version)
    for op, stack, module, version in zip(*(c.tolist() for c in columns), strict=True):
        origin = {"stack": _row(stack), "module": _row(module)}
        yield _text({"op": graph.name(op), **origin, "version": version})


def _cut(cut: Cut) -> str:
    table, row = cut.graph.cut_table, cut.row
    return _text(
        {
            "kind": cut.kind.name.lower(),
            "op": cut.op,
            "stack": _row(table.stack[row]),
            "module": _row(table.module[row]),
            "region": _row(table.region[row]),
            "tensor": dataclasses.asdict(cut.spec) if cut.spec else None,
            "times": cut.times,
            "raised": cut.raised,
            "reaches": cut.reaches,
            "leaves": cut.leaves,
            "uses": [
                {
                    "op": use.op,
                    "place": dataclasses.asdict(use.place) if use.place else None,
                    "node": use.node.index if use.node else None,
                    "times": use.times,
                }
                for use in cut.uses
            ],
        }
    )


def _about(about: About) -> dict[str, object]:
    facts = dataclasses.asdict(about)
    words = {"backward": about.backward.value, "recording": about.recording.value}
    words["probe"] = about.probe.value
    return {**facts, "versions": dict(about.versions), **words}


def _row(number: SupportsInt) -> int | None:
    return int(number) if int(number) >= 0 else None


def _or_null(number: int) -> str:
    return str(number) if number >= 0 else "null"


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'"{value!r}"'


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
