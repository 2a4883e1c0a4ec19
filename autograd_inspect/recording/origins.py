"""From what was remembered of each node to columns: stack, module call, variable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np

from autograd_inspect.autograd._torch import GraphNode
from autograd_inspect.autograd.details import Interned
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import CallTable, Ints, Kind
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.places import Places
from autograd_inspect.recording.sites import NOWHERE, OUTSIDE, Call, Site, Spot, line_spot
from autograd_inspect.recording.variables import RETURNED, binding


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """Where the nodes of a graph come from: columns of `NodeTable`, and what they point into."""

    stack: Ints
    call: Ints
    variable: list[str]
    call_table: CallTable

    def put_into(self, graph: Graph, names: Mapping[int, str]) -> Graph:
        """Give the graph with all of it; `names` are those that live variables give to nodes."""
        table: Interned[str] = Interned(graph.names)
        made = [names.get(number, name) for number, name in enumerate(self.variable)]
        variable = np.array([table[name] if name else -1 for name in made], np.int32)
        nodes = replace(graph.node_table, stack=self.stack, call=self.call, variable=variable)
        return replace(graph, node_table=nodes, call_table=self.call_table, names=tuple(table))


@dataclass(slots=True)
class _Calls:
    """The calls that left nodes in the graph, and those they were made in."""

    rows: dict[int, int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def of(self, calls: Iterable[Call]) -> _Calls:
        """Collect the calls, numbered so that each comes after the one it was made in."""
        found: dict[int, Call] = {}
        for call in calls:
            one = call
            while one is not OUTSIDE and id(one) not in found:
                found[id(one)] = one
                one = one.parent
        self.calls = sorted(found.values(), key=attrgetter("serial"))
        self.rows = {id(call): row for row, call in enumerate(self.calls)}
        return self

    def table(self, places: Places) -> CallTable:
        """Make the table; the calls of a module are numbered in the order they were made in."""
        modules = [places.module(call) for call in self.calls]
        seen: dict[int, int] = {}
        numbers = []
        for module in modules:
            seen[module] = seen.get(module, 0) + 1
            numbers.append(seen[module])
        parents = [self.rows.get(id(call.parent), -1) for call in self.calls]
        return CallTable(*(np.array(c, np.int32) for c in (modules, numbers, parents)))


def origins_of(walked: Walk, places: Places) -> Origins:
    """Read what was remembered of each node.

    A leaf has the line that first used it, and belongs to no call: it was made elsewhere.
    """
    kinds = walked.graph.node_table.kind.tolist()
    spots = list(map(spot_of_node, walked.nodes))
    lines = [
        _of_the_call(spot) if kind == Kind.COMPILED else spot
        for spot, kind in zip(spots, kinds, strict=True)
    ]
    stack = np.fromiter(map(places.stack, lines), np.int32, len(lines))
    made = [
        OUTSIDE if kind == Kind.LEAF else call for (_, call), kind in zip(spots, kinds, strict=True)
    ]
    calls = _Calls().of(made)
    call = np.array([calls.rows.get(id(one), -1) for one in made], np.int32)
    return Origins(stack, call, _variables(walked, lines), calls.table(places))


def _of_the_call(spot: Spot) -> Spot:
    """Leave the frame of a compiled function: it stands at its `def`, whatever it is doing."""
    site, call = line_spot(spot)
    if not site.lines or site.lines[0][2] != site.lines[0][0].co_firstlineno:
        return spot
    return line_spot((Site.at(*site.lines[1:], joined=site.joined[1:]), call))


def spot_of_node(node: GraphNode) -> Spot:
    """Give where a node was made; NOWHERE if it was made before anybody watched."""
    mark = node.metadata.get(MARK, ())
    if len(mark) >= 2 and type(mark[0]) is Site:
        return mark[0], mark[1]
    return NOWHERE, OUTSIDE


def _variables(walked: Walk, spots: Sequence[Spot]) -> list[str]:
    """Name the nodes whose value is what a line assigns.

    An expression such as `F.linear(x, w)` makes several nodes at one spot; the one that no other
    of them uses is its value. In a loop that one is used by its like of the next round, so all
    nodes of the spot count that are of the same class as one that is not used.
    """
    groups: Interned[tuple[LineKey, int]] = Interned()
    lines = list(map(line_spot, spots))
    group = np.fromiter((groups[_key(site), id(c)] for site, c in lines), np.int64, len(lines))
    classes: Interned[type] = Interned()
    nodes, edges = walked.nodes, walked.graph.edge_table
    cls = np.fromiter(map(classes.__getitem__, map(type, nodes)), np.int64, len(nodes))
    defined = edges.target >= 0
    source = np.repeat(np.arange(len(nodes)), np.diff(edges.start))[defined]
    target = edges.target[defined]
    used = np.zeros(len(nodes), np.bool_)
    used[target[group[source] == group[target]]] = True
    kind = group * len(classes) + cls
    is_value = np.isin(kind, kind[~used])
    name_of: dict[tuple[int, int], str] = {}
    names = [""] * len(nodes)
    for number in np.flatnonzero(is_value & (walked.graph.node_table.kind != Kind.LEAF)).tolist():
        site, call = lines[number]
        key = id(site), id(call)
        if key not in name_of:
            name_of[key] = _assigned((site, call))
        names[number] = name_of[key]
    return names


LineKey = tuple[tuple[int, int], ...]


def _key(site: Site) -> LineKey:
    """Tell sites apart by the user's lines alone: a library does its part in many places."""
    return tuple((id(code), offset) for code, offset, _ in site.lines)


def _assigned(spot: Spot) -> str:
    """Follow a value from the line that made it through `return` to the variable it ends in."""
    site, call = spot
    while site.lines:
        for (code, offset, _), joined in zip(site.lines, site.joined, strict=False):
            name = binding(code, offset)
            if name != RETURNED:
                return name
            if not joined:  # what was called on the way may have made something else of it
                return ""
        site, call = call.caller, call.parent
    return ""
