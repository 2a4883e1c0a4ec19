"""Two graphs in the same words, so that what is equal in both has equal numbers.

What is put side by side are items: the nodes of a module call and the calls made in it, in forward
order. Item `i` of a graph of `n` nodes is node `i`, or call `i - n` where that is 0 or more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.tables import Bools, Kind, Longs

#: Stands for what lies outside of all calls where the row of a call is asked for.
OUTSIDE = -1


class Numbers:
    """Gives equal things the same number, whichever graph they are of; numbers begin at 1."""

    def __init__(self) -> None:
        self._of: dict[Hashable, int] = {}

    def number(self, thing: Hashable) -> int:
        """Give the number of one thing."""
        return self._of.setdefault(thing, len(self._of) + 1)

    def numbers(self, things: Iterable[Hashable]) -> Longs:
        """Give the numbers of many things, and 0 behind them: what a row of -1 finds."""
        return np.array([*map(self.number, things), 0], np.int64)


@dataclass(frozen=True, slots=True)
class Structure:
    """What module calls of the same structure are made of.

    size   how many nodes
    ops    how many nodes of each operation
    looks  how many nodes that are alike in operation, outputs and scalars
    """

    size: int
    ops: Counter[int]
    looks: Counter[int]

    @classmethod
    def of(cls, parts: Iterable[Structure], ops: Iterable[int], looks: Iterable[int]) -> Structure:
        """Sum up calls, and nodes by their operations and looks."""
        whole = cls(0, Counter(ops), Counter(looks))
        for part in parts:
            whole.ops.update(part.ops)
            whole.looks.update(part.looks)
        return cls(whole.ops.total(), whole.ops, whole.looks)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The numbers that both graphs share; `structures` has what a number of `shapes` stands for."""

    ops: Numbers = field(default_factory=Numbers)
    specs: Numbers = field(default_factory=Numbers)
    outputs: Numbers = field(default_factory=Numbers)
    scalars: Numbers = field(default_factory=Numbers)
    names: Numbers = field(default_factory=Numbers)
    places: Numbers = field(default_factory=Numbers)
    kinds: Numbers = field(default_factory=Numbers)
    shapes: Numbers = field(default_factory=Numbers)
    structures: dict[int, Structure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two graphs: what is known of its nodes and its items.

    op, outputs, scalars, variable, weights   per node; `weights` stands for the leaves it uses
    order                                     nodes but leaves, in forward order
    kind, alike, same                         per item, as `sequences.Keys` has them
    name, cls, shape, size                    per call: its name in the call around it, its class,
                                              its structure and how many nodes that has
    numbered                                  per call: its name is a place in a list
    inside                                    per call, OUTSIDE last, its items in forward order
    """

    graph: Graph
    op: Longs
    outputs: Longs
    scalars: Longs
    variable: Longs
    weights: Longs
    order: Longs
    kind: Longs
    alike: Longs
    same: Longs
    name: Longs
    cls: Longs
    shape: Longs
    size: Longs
    numbered: Bools
    inside: tuple[Longs, ...]

    def __len__(self) -> int:
        """Count the nodes, leaves among them."""
        return len(self.op)


def side_of(graph: Graph, words: Words, *, flat: bool = False) -> Side:
    """Put a graph into words; `flat` takes no notice of modules."""
    op, outputs, scalars = op_of(graph, words), outputs_of(graph, words), scalars_of(graph, words)
    names = words.names.numbers(graph.names)
    variable = names[graph.node_table.variable]
    weights = _weights(graph, names)
    order = forward_order(graph)
    call = np.full(len(graph), OUTSIDE) if flat else graph.node_table.call.astype(np.int64)
    inside = _items(graph, order, call)
    looks = mixed(op, outputs, scalars)
    name, cls, numbered = _called(graph, words)
    kind, shape, size = _shapes(words, inside, op, looks)
    return Side(
        graph=graph,
        op=op,
        outputs=outputs,
        scalars=scalars,
        variable=variable,
        weights=weights,
        order=order,
        kind=np.append(2 * op, 2 * kind + 1),
        alike=np.append(looks, mixed(shape, np.full(len(shape), -1))),
        same=np.append(mixed(looks, variable, weights), mixed(shape, cls, name)),
        name=name,
        cls=cls,
        shape=shape,
        size=size,
        numbered=numbered,
        inside=inside,
    )


def mixed(*columns: Longs) -> Longs:
    """Give one number per row, equal for rows that are equal in all columns."""
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # An odd multiplier loses no bits: different rows meet by accident once in 2**64.
        key = (key + column.astype(np.int64).view(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


def op_of(graph: Graph, words: Words) -> Longs:
    """Give a number to what ran forward: `MulBackward0` and `MulBackward1` are both `mul`."""
    table = graph.node_table
    key = table.op.astype(np.int64) * len(Kind) + table.kind
    distinct, which = np.unique(key, return_inverse=True)
    pairs = (divmod(one, len(Kind)) for one in distinct.tolist())
    titles = ((forward_name(graph.ops[op], Kind(kind)), kind) for op, kind in pairs)
    return words.ops.numbers(titles)[which]


def outputs_of(graph: Graph, words: Words) -> Longs:
    """Give a number to what nodes put out: shapes, dtypes and devices of all outputs."""
    table = graph.output_table
    spec = words.specs.numbers(graph.specs)[table.spec]
    count = np.diff(table.start)
    single = words.outputs.numbers((one,) for one in range(int(spec.max(initial=0)) + 1))
    found = np.zeros(len(graph), np.int64)
    found[count == 1] = single[spec[table.start[:-1][count == 1]]]
    for node in np.flatnonzero(count != 1).tolist():
        several = spec[table.start[node] : table.start[node + 1]]
        found[node] = words.outputs.number(tuple(several.tolist()))
    return found


def scalars_of(graph: Graph, words: Words) -> Longs:
    """Give a number to the scalars that nodes saved."""
    return words.scalars.numbers(graph.attributes)[graph.node_table.attributes]


def forward_order(graph: Graph) -> Longs:
    """Give the nodes but leaves in the order that the forward pass made them."""
    nodes = np.flatnonzero(graph.node_table.kind != Kind.LEAF)
    return nodes[np.lexsort((-nodes, graph.node_table.sequence[nodes]))]


def sources_of(graph: Graph) -> Longs:
    """Give the node that each row of the edge table starts at."""
    return np.repeat(np.arange(len(graph)), np.diff(graph.edge_table.start))


def _weights(graph: Graph, names: Longs) -> Longs:
    """Give each node a number for the names of the leaves it uses, 0 for none."""
    of_leaf = np.zeros(len(graph) + 1, np.int64)
    table = graph.leaf_table
    of_leaf[table.node] = mixed(names[table.name]) * (table.name >= 0)
    found = np.zeros(len(graph), np.int64)
    np.add.at(found, sources_of(graph), of_leaf[graph.edge_table.target])
    return found


def _items(graph: Graph, order: Longs, call: Longs) -> tuple[Longs, ...]:
    """Give the items of each call, those outside of all last, in forward order."""
    calls, parent = len(graph.call_table.parent), graph.call_table.parent.tolist()
    first = np.full(calls + 1, len(order))
    np.minimum.at(first, call[order], np.arange(len(order)))
    begins = first.tolist()
    for row in range(calls - 1, -1, -1):  # a parent comes before its children
        begins[parent[row]] = min(begins[parent[row]], begins[row])
    used = np.flatnonzero(np.array(begins[:calls], np.int64) < len(order))
    item = np.concatenate([order, len(graph) + used])
    around = np.concatenate([call[order], graph.call_table.parent[used]]) % (calls + 1)
    turn = np.concatenate([np.arange(len(order)), np.array(begins, np.int64)[used]])
    places = np.lexsort((turn, around))
    ends = np.cumsum(np.bincount(around, minlength=calls + 1))
    return tuple(np.split(item[places], ends[:-1]))


def _called(graph: Graph, words: Words) -> tuple[Longs, Longs, Bools]:
    """Give numbers to the names that calls have in the call around them, and to their classes.

    And tell which of these names are places in a list: `blocks.3`, but not `conv3`.
    """
    table, modules = graph.call_table, graph.modules
    full = [modules[row].full_name for row in table.module.tolist()]
    names = [
        name.removeprefix(f"{full[parent]}.") if parent >= 0 else name
        for name, parent in zip(full, table.parent.tolist(), strict=True)
    ]
    classes = [modules[row].cls for row in table.module.tolist()]
    numbered = [any(map(str.isdecimal, name.split("."))) for name in names]
    return (
        words.names.numbers(names)[:-1],
        words.names.numbers(classes)[:-1],
        np.array(numbered, np.bool_),
    )


def _shapes(
    words: Words, inside: tuple[Longs, ...], op: Longs, looks: Longs
) -> tuple[Longs, Longs, Longs]:
    """Give each call's structure a number, by operations alone and by all but names, and its size.

    A call that does nothing but call another has the structure of that one.
    """
    nodes, calls = len(op), len(inside) - 1
    kind, shape, size = ([0] * calls for _ in range(3))
    for row in range(calls - 1, -1, -1):
        items = inside[row].tolist()
        called = [item - nodes for item in items if item >= nodes]
        if len(items) == len(called) == 1:
            kind[row], shape[row], size[row] = (of[called[0]] for of in (kind, shape, size))
            continue
        own = inside[row][inside[row] < nodes]
        ops, alike = _keys(items, op, kind), _keys(items, looks, shape)
        kind[row], shape[row] = words.kinds.number(ops), words.shapes.number(alike)
        if shape[row] not in words.structures:
            parts = [words.structures[shape[one]] for one in called]
            structure = Structure.of(parts, op[own].tolist(), looks[own].tolist())
            words.structures[shape[row]] = structure
        size[row] = words.structures[shape[row]].size
    return tuple(np.array(one, np.int64) for one in (kind, shape, size))  # type: ignore[return-value]


def _keys(items: list[int], of_node: Longs, of_call: list[int]) -> tuple[Any, ...]:
    nodes = len(of_node)
    return tuple(int(of_node[item]) if item < nodes else (of_call[item - nodes],) for item in items)
