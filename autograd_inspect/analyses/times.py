"""Where the time of a step went: nodes summed up by operation, module or line.

The times of a node are its own, so that those of all groups add up. In `total` a module has its
submodules, a line what it called, and a node those that were made within it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_inspect.analyses.grouping import (
    NO_LINE,
    Groups,
    by_op,
    line_name,
    module_facts,
    summed,
)
from autograd_inspect.analyses.words import TIME_GROUPINGS, check_grouping
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.profile import Profile
from autograd_inspect.model.tables import Longs
from autograd_inspect.model.times import Outside, Timed, Times


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """Groups, and for each node all those that it counts for in total.

    key     of a node: its module call or its stack, -1 for none
    around  the groups that the nodes of a key lie in, its own included; the last is that of -1
    """

    groups: Groups
    key: Longs
    around: list[frozenset[int]]


def times(capture: Capture, *, by: str = "op", top: int | None = None) -> Times:
    """Sum up the times of a capture's nodes, and list the slowest `top` groups.

    `by` is op, module, line or node. Raises UsageError for any other word, and for a capture
    without times.
    """
    check_grouping(by, TIME_GROUPINGS)
    if top is not None and top < 0:
        raise UsageError(f"cannot show {top} rows", hint="give a number from 0 on")
    graph, profile = capture.graph, check_timed(capture)
    columns = _columns(graph)
    sums = {name: int(column.sum()) for name, column in columns.items()}
    groups, totals = _GROUPINGS[by](graph, columns)
    return Times(
        by=by,
        rows=tuple(_rows(columns, groups, totals, top)),
        groups=groups.count,
        nodes=len(graph),
        outside=tuple(_outside(graph)),
        profile=profile,
        **{name: sums[name] for name in ("forward", "backward", "memory", "device")},
    )


def check_timed(capture: Capture) -> Profile:
    """Give what is known of a capture's profile; raises UsageError where nothing was timed."""
    profile = capture.about.profile
    if profile is None:
        raise UsageError(
            "this capture has no times: nothing was timed when it was taken",
            hint=f"agi profile {capture.about.source} takes one that has",
        )
    return profile


def _columns(graph: Graph) -> dict[str, Longs]:
    """Take the figures that add up, with 0 for what is not known."""
    table = graph.time_table
    known = {
        name: np.maximum(getattr(table, name), 0)
        for name in ("forward", "backward", "forward_total", "backward_total")
    }
    return {
        **known,
        "memory": np.maximum(table.allocated, 0) + np.maximum(table.backward_allocated, 0),
        "device": np.maximum(table.device, 0) + np.maximum(table.backward_device, 0),
    }


def _rows(
    columns: dict[str, Longs], groups: Groups, totals: dict[str, Longs], top: int | None
) -> Iterator[Timed]:
    """Describe the slowest groups; of two as slow, the one with more in total."""
    names = ("forward", "backward", "memory", "device")
    sums = {name: summed(columns[name], groups.member, groups.count) for name in names} | totals
    sums["calls"] = np.bincount(groups.member, minlength=groups.count)
    own = sums["forward"] + sums["backward"]
    whole = sums["forward_total"] + sums["backward_total"]
    order = (-whole, -own) if not sums["device"].any() else (-own, -sums["device"])
    for group in np.lexsort(order)[:top].tolist():
        facts = groups.describe(group)
        facts.update({name: int(column[group]) for name, column in sums.items()})
        yield Timed(**facts)


def _outside(graph: Graph) -> list[Outside]:
    table = graph.outside_table
    rows = zip(
        table.name.tolist(),
        table.backward.tolist(),
        table.calls.tolist(),
        table.time.tolist(),
        table.allocated.tolist(),
        table.device.tolist(),
        strict=True,
    )
    found = [Outside(graph.name(name), bool(later), *figures) for name, later, *figures in rows]
    return sorted(found, key=lambda one: (-one.time, one.name))


def _by_op(graph: Graph, columns: dict[str, Longs]) -> tuple[Groups, dict[str, Longs]]:
    groups = by_op(graph, np.arange(len(graph)))
    names = ("forward_total", "backward_total")
    return groups, {name: summed(columns[name], groups.member, groups.count) for name in names}


def _by_node(graph: Graph, columns: dict[str, Longs]) -> tuple[Groups, dict[str, Longs]]:
    def describe(group: int) -> dict[str, Any]:
        node = graph.node(group)
        call = node.call
        return {
            "name": node.leaf.name if node.leaf and node.leaf.name else node.title,
            "node": group,
            "place": node.place,
            "module": call.module if call else None,
            "variable": node.variable,
        }

    groups = Groups(np.arange(len(graph)), len(graph), describe)
    return groups, {name: columns[name] for name in ("forward_total", "backward_total")}


def _by_module(graph: Graph, columns: dict[str, Longs]) -> tuple[Groups, dict[str, Longs]]:
    """Group by the innermost module; in total by all modules whose calls it lies in."""
    outside = len(graph.modules)
    table = graph.call_table
    around: list[frozenset[int]] = []
    for module, parent in zip(table.module.tolist(), table.parent.tolist(), strict=True):
        around.append(frozenset((module,)) | (around[parent] if parent >= 0 else frozenset()))
    around.append(frozenset((outside,)))
    key = graph.node_table.call.astype(np.int64)
    member = np.append(table.module.astype(np.int64), outside)[key]
    groups = Groups(
        member,
        outside + 1,
        lambda group: module_facts(graph, group if group < outside else -1),
    )
    return _used(_Spread(groups, key, around), columns)


def _by_line(graph: Graph, columns: dict[str, Longs]) -> tuple[Groups, dict[str, Longs]]:
    """Group by the innermost line; in total by all lines of the stack that led to the node."""
    names = [line_name(graph, row) for row in range(len(graph.places))]
    distinct = list(dict.fromkeys([*names, NO_LINE]))
    number = {name: group for group, name in enumerate(distinct)}
    place_of = dict(zip(reversed(names), reversed(graph.places), strict=True))
    nowhere = (number[NO_LINE],)
    lines = [[number[names[row]] for row in stack.lines] or nowhere for stack in graph.stacks]
    key = graph.node_table.stack.astype(np.int64)
    member = np.array([groups[0] for groups in lines] + [nowhere[0]], np.int64)[key]
    groups = Groups(
        member,
        len(distinct),
        lambda group: {"name": distinct[group], "place": place_of.get(distinct[group])},
    )
    return _used(_Spread(groups, key, [*map(frozenset, lines), frozenset(nowhere)]), columns)


def _used(spread: _Spread, columns: dict[str, Longs]) -> tuple[Groups, dict[str, Longs]]:
    """Leave out groups that no node lies in, and add up the times in total of the others."""
    groups, keys = spread.groups, len(spread.around)
    nodes = np.bincount(spread.key % keys, minlength=keys)  # a key of -1 becomes the last
    used = sorted({group for key in np.flatnonzero(nodes) for group in spread.around[key]})
    totals = {
        f"{name}_total": _in_total(columns[name], spread)[used] for name in ("forward", "backward")
    }
    place = np.full(groups.count, -1, np.int64)
    place[used] = np.arange(len(used))
    kept = Groups(place[groups.member], len(used), lambda group: groups.describe(used[group]))
    return kept, totals


def _in_total(values: Longs, spread: _Spread) -> Longs:
    keys = len(spread.around)
    per_key = summed(values, spread.key % keys, keys)
    total = np.zeros(spread.groups.count, np.int64)
    for key, value in enumerate(per_key.tolist()):
        for group in spread.around[key]:
            total[group] += value
    return total


_GROUPINGS: dict[str, Callable[[Graph, dict[str, Longs]], tuple[Groups, dict[str, Longs]]]] = {
    "op": _by_op,
    "module": _by_module,
    "line": _by_line,
    "node": _by_node,
}
