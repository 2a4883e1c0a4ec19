"""What is held for backward, and by whom.

A saved tensor keeps its whole storage alive, and many of them may lie in one. `total` counts such
a storage once for each; `unique` once in all, at the node that saved it first in forward order,
which is the one with the lowest sequence number. So the unique bytes of all groups add up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_inspect.analyses.grouping import Groups, by_line, by_module, by_op, summed
from autograd_inspect.analyses.words import check_grouping
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.memory import Held, Memory, Packed
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Bools, Kind, Longs, SavedRole, SavedState, Spec

_ROLES = {
    "parameters": SavedRole.PARAMETER,
    "buffers": SavedRole.BUFFER,
    "inputs": SavedRole.INPUT,
    "activations": SavedRole.ACTIVATION,
    "other": SavedRole.UNKNOWN,
}
_LAST = np.iinfo(np.int64).max
#: Names of results that are not the operation's first output: a mean, a mask, a sum of weights.
_OTHER_RESULT = re.compile(r"(?!result0?$|saved_tensors|ctx\.).*")


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The saved tensors that were not freed.

    row      in `SavedTable`
    node     the node that keeps it
    storage  as in `SavedTable`
    order    place of its node in the forward pass
    size     bytes of its storage
    first    no other tensor in its storage was saved before it
    """

    graph: Graph
    row: Longs
    node: Longs
    storage: Longs
    order: Longs
    size: Longs
    first: Bools

    @classmethod
    def of(cls, graph: Graph) -> _Kept:
        """Select them."""
        table = graph.saved_table
        row = np.flatnonzero(table.state != SavedState.FREED)
        node, storage = table.node[row].astype(np.int64), table.storage[row].astype(np.int64)
        order = graph.node_table.sequence[node]
        first = np.zeros(len(row), np.bool_)
        first[_first_of_each(storage, order)] = True
        return cls(graph, row, node, storage, order, table.bytes[row], first & (storage >= 0))


def memory(capture: Capture, *, by: str = "op", top: int | None = None) -> Memory:
    """Sum up what a capture's graph holds for backward, and list the largest `top` groups.

    `by` is op, module, line or tensor; raises UsageError for any other word.
    """
    check_grouping(by)
    if top is not None and top < 0:
        raise UsageError(f"cannot show {top} rows", hint="give a number from 0 on")
    graph, about = capture.graph, capture.about
    kept = _Kept.of(graph)
    groups = _GROUPINGS[by](kept)
    together = _sums(kept, np.zeros(len(kept.row), np.int64), 1)
    return Memory(
        by=by,
        rows=tuple(_told_apart(list(_rows(kept, groups, top)))),
        groups=groups.count,
        storages=int(np.count_nonzero(kept.first)),
        packed=tuple(_packed(kept)),
        freed=int(np.count_nonzero(graph.saved_table.state == SavedState.FREED)),
        unseen=int(np.count_nonzero(graph.node_table.kind == Kind.INPLACE)),
        omitted=next((text for text in about.omitted if text.startswith("saved tensors")), ""),
        weights=about.parameters,
        grads=about.gradients,
        **{name: int(figures[0]) for name, figures in together.items()},
    )


def _sums(kept: _Kept, member: Longs, count: int) -> dict[str, Longs]:
    """Add up per group what `Held` and `Memory` have in common."""
    role = kept.graph.saved_table.role[kept.row]
    unique = np.where(kept.first, kept.size, 0)
    return {
        "tensors": np.bincount(member, minlength=count),
        "total": summed(kept.size, member, count),
        "unique": summed(unique, member, count),
        **{
            name: summed(np.where(role == one, unique, 0), member, count)
            for name, one in _ROLES.items()
        },
    }


def _rows(kept: _Kept, groups: Groups, top: int | None) -> Iterator[Held]:
    """Describe the largest groups; of two that hold as much, the one with more in `total`."""
    sums = _sums(kept, groups.member, groups.count)
    nodes = max(len(kept.graph), 1)
    pairs = np.unique(groups.member * nodes + kept.node)
    sums["nodes"] = np.bincount(pairs // nodes, minlength=groups.count)
    for group in np.lexsort((-sums["total"], -sums["unique"]))[:top].tolist():
        facts = groups.describe(group)
        facts.update({name: int(column[group]) for name, column in sums.items()})
        yield Held(**facts)


def _told_apart(rows: list[Held]) -> Iterator[Held]:
    """Add its node to a name that several tensors go by: a variable may be bound many times."""
    times = Counter(row.name for row in rows)
    for row in rows:
        several = times[row.name] > 1 and row.node >= 0
        yield replace(row, name=f"{row.name} #{row.node}") if several else row


def _first_of_each(key: Longs, *order: Longs) -> Longs:
    """Give for each distinct key the place of its first in this order, the last to decide last."""
    places = np.lexsort((np.arange(len(key)), *reversed(order)))
    return places[np.unique(key[places], return_index=True)[1]]


def _packed(kept: _Kept) -> Iterator[Packed]:
    table = kept.graph.saved_table
    packer = np.where(table.state[kept.row] == SavedState.PACKED, table.packer[kept.row], -2)
    for one in np.unique(packer[packer > -2]).tolist():
        rows = np.flatnonzero(packer == one)
        _, first = np.unique(kept.storage[rows], return_index=True)
        name = kept.graph.name(one) or "a hook"
        yield Packed(name, len(rows), int(kept.size[rows][first].sum()))


def _by_tensor(kept: _Kept) -> Groups:
    """Group by storage; what lies in none that can be seen, by the hook that packed it."""
    graph = kept.graph
    table = graph.saved_table
    packer = table.packer[kept.row].astype(np.int64)
    # Storages are numbered from 0, so that these stand before them.
    key = np.where(kept.storage >= 0, kept.storage, -2 - packer)
    distinct, member = np.unique(key, return_inverse=True)
    origin = table.origin[kept.row]
    made = np.where(origin >= 0, graph.node_table.sequence[origin], _LAST)
    example = _first_of_each(key, made, kept.order)
    leaf = np.full(len(distinct), -1, np.int64)
    np.maximum.at(leaf, member, table.leaf[kept.row])

    def describe(group: int) -> dict[str, Any]:
        row = int(kept.row[example[group]])
        if distinct[group] < 0:
            by = graph.name(int(table.packer[row]))
            return {"name": f"packed by {by}" if by else "(not shown by torch)"}
        known = {"role": SavedRole(table.role[row])}
        if leaf[group] >= 0:
            return {**known, **_leaf(graph, int(leaf[group]))}
        return {**known, **_tensor(graph, row)}

    return Groups(member, len(distinct), describe)


def _leaf(graph: Graph, leaf: int) -> dict[str, Any]:
    node = graph.node(int(graph.leaf_table.node[leaf]))
    name = graph.name(int(graph.leaf_table.name[leaf])) or f"leaf #{node.index}"
    return {"name": name, "spec": next(iter(node.outputs), None), "node": node.index}


def _tensor(graph: Graph, row: int) -> dict[str, Any]:
    """Name what lies in a storage by what made it: its variable, else what ran."""
    table = graph.saved_table
    saved = graph.name(int(table.name[row]))
    spec = graph.specs[table.spec[row]] if table.spec[row] >= 0 else None
    origin, holder = int(table.origin[row]), graph.node(int(table.node[row]))
    if origin < 0 or (origin == holder.index and _OTHER_RESULT.fullmatch(saved)):
        return {"name": f"{holder.title}.{saved} #{holder.index}", "spec": spec, "node": origin}
    view = graph.node(origin)
    maker = _viewed(view)
    made = maker.outputs[0] if maker.outputs else None
    whole = maker.index == origin or _count(spec) == _count(made)
    name = maker.variable or (view.variable if whole else "") or f"{maker.title} #{maker.index}"
    return {"name": name, "spec": spec if whole else made, "node": maker.index}


def _viewed(node: Node) -> Node:
    """Follow views to what they view: that is what made the storage."""
    while node.kind is Kind.VIEW or node.op.startswith("UnsafeView"):
        following = node.edges[0].target
        if following is None or following.kind is Kind.LEAF:
            break
        node = following
    return node


def _count(spec: Spec | None) -> int | None:
    """Count the elements, where the shape is known in numbers."""
    if spec is None or not all(isinstance(length, int) for length in spec.shape):
        return None
    return math.prod(length for length in spec.shape if isinstance(length, int))


_GROUPINGS: dict[str, Callable[[_Kept], Groups]] = {
    "op": lambda kept: by_op(kept.graph, kept.node),
    "module": lambda kept: by_module(kept.graph, kept.node),
    "line": lambda kept: by_line(kept.graph, kept.node),
    "tensor": _by_tensor,
}
