"""What figures of nodes are summed up by: operation, module or line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.ops import forward_name
from autograd_inspect.model.tables import Kind, Longs

NO_LINE = "(no line recorded)"
NO_MODULE = "(outside modules)"


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The number of each member's group, and a function that describes a group by number."""

    member: Longs
    count: int
    describe: Callable[[int], dict[str, Any]]


def by_op(graph: Graph, node: Longs) -> Groups:
    """Group by what ran forward: `MulBackward0` and `MulBackward1` are both `mul`."""
    nodes = graph.node_table
    key = nodes.op[node].astype(np.int64) * len(Kind) + nodes.kind[node]
    distinct, member = np.unique(key, return_inverse=True)
    titles = [
        forward_name(graph.ops[op], Kind(kind))
        for op, kind in (divmod(one, len(Kind)) for one in distinct.tolist())
    ]
    return named(titles, member)


def by_module(graph: Graph, node: Longs) -> Groups:
    """Group by the module whose call, the innermost, made the node."""
    call = graph.node_table.call[node]
    module = np.append(graph.call_table.module, -1)[call]  # a call of -1 finds the last
    distinct, member = np.unique(module, return_inverse=True)
    return Groups(member, len(distinct), lambda group: module_facts(graph, int(distinct[group])))


def module_facts(graph: Graph, row: int) -> dict[str, Any]:
    """Describe a row of `Graph.modules`, -1 for none."""
    found = graph.modules[row] if row >= 0 else None
    return {"name": found.name if found else NO_MODULE, "module": found}


def by_line(graph: Graph, node: Longs) -> Groups:
    """Group by the innermost line of the user's code."""
    place_of = np.array([stack.lines[0] if stack.lines else -1 for stack in graph.stacks] + [-1])
    place = place_of[graph.node_table.stack[node]]
    distinct, member = np.unique(place, return_inverse=True)
    found = [graph.places[row] if row >= 0 else None for row in distinct.tolist()]
    names = [line_name(graph, row) for row in distinct.tolist()]
    groups = named(names, member)
    place_of_name = dict(zip(reversed(names), reversed(found), strict=True))

    def describe(group: int) -> dict[str, Any]:
        known = groups.describe(group)
        return {**known, "place": place_of_name[known["name"]]}

    return Groups(groups.member, groups.count, describe)


def line_name(graph: Graph, row: int) -> str:
    """Name a row of `Graph.places`, whatever function the line is in; -1 for none."""
    return f"{graph.places[row].file}:{graph.places[row].line}" if row >= 0 else NO_LINE


def named(names: list[str], member: Longs) -> Groups:
    """Join the groups of equal names; `names` are those of the groups that `member` numbers."""
    distinct = list(dict.fromkeys(names))
    number = {name: row for row, name in enumerate(distinct)}
    rows = np.array([number[name] for name in names], np.int64)
    return Groups(rows[member], len(distinct), lambda group: {"name": distinct[group]})


def summed(values: Longs, member: Longs, count: int) -> Longs:
    """Add up per group, exactly: `bincount` would add in floating point."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, member, values)
    return sums
