"""Give every box a look. Boxes that look alike share one: most of a graph repeats itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.flow import Write
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Node, Saved
from autograd_inspect.model.tables import Kind, SavedRole, SavedState, Spec
from autograd_inspect.model.view import Face, Role
from autograd_inspect.passes.part import TIMES, Part, Rows, combined

_ROLES = {
    Kind.LEAF: Role.LEAF,
    Kind.OPERATION: Role.OPERATION,
    Kind.VIEW: Role.VIEW,
    Kind.INPLACE: Role.VIEW,
    Kind.CUSTOM: Role.CUSTOM,
    Kind.COMPILED: Role.CUSTOM,
    Kind.CHECKPOINT: Role.CUSTOM,
    Kind.HOOK: Role.CUSTOM,
}
_LINES = 3
_SAVED_LINES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """The distinct faces, and per box its row among them."""

    faces: tuple[Face, ...]
    face: Rows


def looks_of(part: Part) -> Looks:
    """Describe one box of each kind that looks different."""
    graph, node = part.graph, part.node
    table = graph.node_table
    held = _held_bytes(graph)
    key = combined(
        table.op[node],
        table.kind[node],
        table.attributes[node],
        table.hooks[node],
        _root_mark(graph)[node],
        _leaf_mark(graph)[node],
        _outputs_mark(graph, node),
        _saved_mark(graph, node, held),
    )
    _, first, face = np.unique(key, return_index=True, return_inverse=True)
    described = [_describe(graph.node(index), int(held[index])) for index in node[first].tolist()]
    more = [Face(_more_text(count), Role.MORE) for count in part.hidden.tolist()]
    stand_ins = len(described) + np.arange(len(more))
    return Looks((*described, *more), np.append(face, stand_ins))


def described(graph: Graph, node: int) -> Face:
    """Describe one node."""
    return _describe(graph.node(node), int(_held_bytes_of(graph, node)))


def _root_mark(graph: Graph) -> Rows:
    mark = np.zeros(len(graph), np.int64)
    mark[graph.root_table.node] = 1
    return mark


def _leaf_mark(graph: Graph) -> Rows:
    mark = np.zeros(len(graph), np.int64)
    table = graph.leaf_table
    mark[table.node] = combined(table.requires_grad.astype(np.int64), table.aliases) + 1
    return mark


def _outputs_mark(graph: Graph, node: Rows) -> Rows:
    """Give nodes with equal outputs the same number; nearly all nodes have just one."""
    start, spec = graph.output_table.start, graph.output_table.spec
    count = start[node + 1] - start[node]
    if not len(spec):
        return count
    mark = spec[np.minimum(start[node], len(spec) - 1)].astype(np.int64)
    several: dict[bytes, int] = {}
    for box in np.flatnonzero(count != 1).tolist():
        outputs = spec[start[node[box]] : start[node[box] + 1]].tobytes()
        mark[box] = len(graph.specs) + several.setdefault(outputs, len(several))
    return mark


def _held_bytes(graph: Graph) -> Rows:
    """Sum the bytes that each node keeps; a storage that it keeps twice counts once."""
    table = graph.saved_table
    held = np.zeros(len(graph), np.int64)
    rows = np.flatnonzero(table.state != SavedState.FREED)
    rows = rows[np.lexsort((table.storage[rows], table.node[rows]))]
    node, storage = table.node[rows], table.storage[rows]
    again = (node[1:] == node[:-1]) & (storage[1:] == storage[:-1]) & (storage[1:] >= 0)
    rows = rows[np.append(np.ones(len(rows[:1]), np.bool_), ~again)]
    np.add.at(held, table.node[rows], table.bytes[rows])
    return held


def _held_bytes_of(graph: Graph, node: int) -> int:
    table = graph.saved_table
    rows = slice(*np.searchsorted(table.node, [node, node + 1]).tolist())
    held: dict[int, int] = {}
    columns = (table.storage[rows], table.bytes[rows], table.state[rows])
    for at, (storage, size, state) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        if state != SavedState.FREED:
            held[storage if storage >= 0 else -1 - at] = size
    return sum(held.values())


def _saved_mark(graph: Graph, node: Rows, held: Rows) -> Rows:
    """Give nodes that save equal tensors the same number, comparing the first few they save."""
    table = graph.saved_table
    if not len(table.node):
        return np.zeros(len(node), np.int64)
    facts = (table.name, table.spec, table.bytes, table.state, table.role, table.packer)
    row_key = combined(*facts, np.where(table.stale, table.write + 1, -1))
    row = np.unique(row_key, return_inverse=True)[1]
    first = np.searchsorted(table.node, node)
    count = np.searchsorted(table.node, node, side="right") - first
    last_row = len(row) - 1
    columns = [
        np.where(place < count, row[np.minimum(first + place, last_row)], -1)
        for place in range(min(int(count.max(initial=0)), _SAVED_LINES))
    ]
    return combined(count, held[node], *columns)


def _describe(node: Node, held: int) -> Face:
    role = Role.ROOT if node.index in node.graph.roots_at else _ROLES[node.kind]
    return Face(
        title=node.title,
        role=role,
        lines=tuple(outputs_lines(node.outputs) + _attribute_lines(node)),
        tip=tuple(_tip(node, held)),
    )


def outputs_lines(outputs: tuple[Spec | None, ...]) -> list[str]:
    """Write each shape once, with how many outputs have it."""
    counts: dict[str, int] = {}
    for spec in outputs:
        text = str(spec) if spec else "shape unknown"
        counts[text] = counts.get(text, 0) + 1
    lines = [f"{text} {TIMES}{count}" if count > 1 else text for text, count in counts.items()]
    if len(lines) > _LINES:
        lines[_LINES - 1 :] = [f"and {len(lines) - _LINES + 1} other shapes"]
    return lines


def _attribute_lines(node: Node) -> list[str]:
    """Write the scalars that tell one node from its like; the tip has all of them."""
    texts = {
        name: _scalar_text(value)
        for name, value in node.attributes.items()
        if not isinstance(value, list | dict)
    }
    said = [f"{name}={text}" for name, text in texts.items() if text not in _USUAL.get(name, _OFF)]
    return [", ".join(said[:_LINES])] if said else []


# What nearly every node of its kind has, or torch's inner codes: true, and of no use in a picture.
_OFF = ("false", "null")
_USUAL = {
    "alpha": ("1",),
    "beta": ("1",),
    "eps": ("1e-05",),
    "groups": ("1",),
    "ignore_index": ("-100",),
    "training": ("true",),
    "reduction": ("0", "1", "2"),
}


def _scalar_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _tip(node: Node, held: int) -> list[str]:
    several = len(node.outputs) > 1
    lines = [f"{node.op} ({node.kind.label})"]
    for number, spec in enumerate(node.outputs):
        output = f"output {number}" if several else "output"
        lines.append(f"{output}: {_in_full(spec)}")
    lines += [f"{name} = {_scalar_text(value)}" for name, value in node.attributes.items()]
    lines += _saved_lines(node, held)
    if node.kind is Kind.LEAF:
        lines += _leaf_lines(node)
    if node.hooks > 0:
        lines.append(f"hooks: {node.hooks}")
    return lines


def _leaf_lines(node: Node) -> Iterator[str]:
    graph, leaves = node.graph, node.graph.leaf_table
    # Not `node.leaf`: that makes an object of every leaf to find this one.
    for row in np.flatnonzero(leaves.node == node.index).tolist():
        if aliases := graph.name(int(leaves.aliases[row])):
            yield f"also named {aliases}"
        yield f"requires_grad: {bool(leaves.requires_grad[row])}"


def _saved_lines(node: Node, held: int) -> list[str]:
    saved = node.saved
    lines = [f"saves {one.name}: {_saved_text(one)}" for one in saved[:_SAVED_LINES]]
    if len(saved) > _SAVED_LINES:
        lines.append(f"saves {len(saved) - _SAVED_LINES} more tensors")
    if len(saved) > 1 and held:
        lines.append(f"holds {held:,} bytes in all")
    return lines


def _saved_text(saved: Saved) -> str:
    """Write what a saved tensor is, and what has become of it."""
    if saved.state is SavedState.HELD:
        words = [_in_full(saved.spec), f"{saved.bytes:,} bytes"]
    else:
        by = f" by {saved.packer}" if saved.packer else ""
        words = [f"{saved.state.name.lower()}{by}"]
    if saved.role is not SavedRole.UNKNOWN:
        words.append(saved.role.label)
    if saved.stale:
        words.append(_overwritten_text(saved.write))
    return ", ".join(words)


def _overwritten_text(write: Write | None) -> str:
    if write is None:
        return "overwritten in place"
    place = f" at {write.place.short}" if write.place else ""
    return f"overwritten by {write.op}{place}"


def _in_full(spec: Spec | None) -> str:
    return f"{spec.shape_text} {spec.dtype} {spec.device}" if spec else "shape unknown"


def _more_text(count: int) -> str:
    return f"{count:,} more node" if count == 1 else f"{count:,} more nodes"
