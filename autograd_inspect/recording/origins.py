"""From what was remembered of each node to columns: stack, module call, variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

import numpy as np
from torch import nn

from autograd_inspect.autograd._torch import GraphNode
from autograd_inspect.autograd.details import Interned
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.tables import CallTable, Ints, Kind
from autograd_inspect.recording.creation import MARK
from autograd_inspect.recording.sites import NOWHERE, OUTSIDE, Call, Line, Site, Spot
from autograd_inspect.recording.variables import RETURNED, binding
from autograd_inspect.run.files import relative_to

#: Lines of the user's stack that are kept.
_STACK = 8

ModulePath = tuple[str, str]
"""The variable that leads to the outermost module, and the path from there."""

ModulePaths = Mapping[int, Sequence[ModulePath]]
"""By `id` of a module, the ways that lead to it."""


class Places:
    """The tables that stacks and modules are interned in, for one capture."""

    def __init__(self, paths: ModulePaths, start: Path) -> None:
        self.places: Interned[Place] = Interned()
        self.stacks: Interned[Stack] = Interned()
        self.modules: Interned[Module] = Interned()
        self._paths = {key: list(found) for key, found in paths.items()}
        self._start = start
        self._place_of: dict[int, int] = {}
        self._stack_of: dict[tuple[int, int], int] = {}
        self._module_of: dict[int, Module] = {}
        self._kept: list[object] = []  # so that the ids above stay their own

    def stack(self, spot: Spot) -> int:
        """Give the row of a spot's stack; -1 where nothing of the user's led there."""
        site, call = spot
        key = id(site), id(call)
        row = self._stack_of.get(key)
        if row is None:
            self._kept.append(spot)
            row = self._stack_of[key] = self._new_stack(spot)
        return row

    def module(self, call: Call) -> int:
        """Give the row of the module that was called; -1 outside of modules."""
        return -1 if call is OUTSIDE else self.modules[self.module_of(call)]

    def module_of(self, call: Call) -> Module:
        """Name the module that was called, if there are several ways to it by that of the call."""
        known = self._module_of.get(id(call))
        if known is None:
            self._kept.append(call)
            known = self._module_of[id(call)] = self._name(call)
        return known

    def _new_stack(self, spot: Spot) -> int:
        lines = list(_lines(spot))[:_STACK]
        library = next(_libraries(spot), None)
        if not lines and library is None:
            return -1
        if not lines:
            return self.stacks[Stack((self._place(library),))] if library else -1
        inner = spot[0].library
        rows = tuple(map(self._place, lines))
        return self.stacks[Stack(rows, self._place(inner) if inner else -1)]

    def _place(self, line: Line) -> int:
        code, _, number = line
        file = relative_to(code.co_filename, self._start)
        return self.places[Place(file, number, code.co_name)]

    def _name(self, call: Call) -> Module:
        module = call.module() if call.module is not None else None
        parent = None if call.parent is OUTSIDE else self.module_of(call.parent)
        if module is None:
            return _beside(parent, call.cls)
        if id(module) not in self._paths:
            self._learn(module, call, parent)
        paths = self._paths.get(id(module), [])
        below = [path for path in paths if parent is not None and _is_below(path, parent)]
        if not paths:
            return _beside(parent, call.cls)
        owner, path = (below or paths)[0]
        return Module(owner, path, call.cls)

    def _learn(self, module: nn.Module, call: Call, parent: Module | None) -> None:
        """Name a module that no variable of the program leads to: a part of one that called it."""
        if parent is None:
            for path, part in module.named_modules():
                self._paths.setdefault(id(part), []).append(("", path))
            return
        holder = call.parent.module() if call.parent.module is not None else None
        where = _place_in(holder, module) if holder is not None else ""
        if where:
            path = f"{parent.path}.{where}" if parent.path else where
            self._paths[id(module)] = [(parent.owner, path)]


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """Where the nodes of a graph come from: columns of `NodeTable`, and what they point into."""

    stack: Ints
    call: Ints
    variable: list[str]
    call_table: CallTable


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


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What the recorder knows of one captured graph."""

    places: Places
    origins: Origins

    def put_into(self, graph: Graph, names: Mapping[int, str]) -> Graph:
        """Give the graph with all of it; `names` are those that live variables give to nodes."""
        table: Interned[str] = Interned(graph.names)
        made = [names.get(number, name) for number, name in enumerate(self.origins.variable)]
        nodes = replace(
            graph.node_table,
            stack=self.origins.stack,
            call=self.origins.call,
            variable=np.array([table[name] if name else -1 for name in made], np.int32),
        )
        return replace(
            graph,
            node_table=nodes,
            call_table=self.origins.call_table,
            names=tuple(table),
            places=tuple(self.places.places),
            stacks=tuple(self.places.stacks),
            modules=tuple(self.places.modules),
        )


def origins_of(walked: Walk, places: Places) -> Origins:
    """Read what was remembered of each node.

    A leaf has the line that first used it, and belongs to no call: it was made elsewhere.
    """
    kinds = walked.graph.node_table.kind.tolist()
    spots = list(map(spot_of_node, walked.nodes))
    stack = np.fromiter(map(places.stack, spots), np.int32, len(spots))
    made = [
        OUTSIDE if kind == Kind.LEAF else call for (_, call), kind in zip(spots, kinds, strict=True)
    ]
    calls = _Calls().of(made)
    call = np.array([calls.rows.get(id(one), -1) for one in made], np.int32)
    return Origins(stack, call, _variables(walked, spots), calls.table(places))


def spot_of_node(node: GraphNode) -> Spot:
    """Give where a node was made; NOWHERE if it was made before anybody watched."""
    mark = node.metadata.get(MARK, ())
    if len(mark) >= 2 and type(mark[0]) is Site:
        return mark[0], mark[1]
    return NOWHERE, OUTSIDE


def _lines(spot: Spot) -> Iterator[Line]:
    """Go through the user's lines from the innermost outwards."""
    site, call = spot
    yield from site.lines
    while call is not OUTSIDE:
        yield from call.caller.lines
        call = call.parent


def _libraries(spot: Spot) -> Iterator[Line]:
    site, call = spot
    while True:
        if site.library is not None:
            yield site.library
        if call is OUTSIDE:
            return
        site, call = call.caller, call.parent


def _variables(walked: Walk, spots: Sequence[Spot]) -> list[str]:
    """Name the nodes whose value is what a line assigns.

    An expression such as `F.linear(x, w)` makes several nodes at one spot; the one that no other
    of them uses is its value. In a loop that one is used by its like of the next round, so all
    nodes of the spot count that are of the same class as one that is not used.
    """
    groups: Interned[tuple[int, int]] = Interned()
    lines = list(map(_line_spot, spots))
    group = np.fromiter((groups[id(s), id(c)] for s, c in lines), np.int64, len(lines))
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
    for number in np.flatnonzero(is_value).tolist():
        site, call = lines[number]
        key = id(site), id(call)
        if key not in name_of:
            name_of[key] = _assigned((site, call))
        names[number] = name_of[key]
    return names


def _line_spot(spot: Spot) -> Spot:
    """Give the spot of the innermost line of the user's, which may be a few module calls out."""
    site, call = spot
    while not site.lines and call is not OUTSIDE:
        site, call = call.caller, call.parent
    return site, call


def _assigned(spot: Spot) -> str:
    """Follow a value from the line that made it through `return` to the variable it ends in."""
    for code, offset, _ in _lines(spot):
        name = binding(code, offset)
        if name != RETURNED:
            return name
    return ""


def _is_below(path: ModulePath, parent: Module) -> bool:
    owner, name = path
    return owner == parent.owner and (not parent.path or name.startswith(f"{parent.path}."))


def _beside(parent: Module | None, cls: str) -> Module:
    """Name a module by its class, where nothing leads to it."""
    if parent is None:
        return Module("", "", cls)
    return Module(parent.owner, f"{parent.path}.{cls}" if parent.path else cls, cls)


def _place_in(holder: nn.Module, module: nn.Module) -> str:
    """Find a module among the attributes of another, in a plain list or dict where it is in one."""
    found = next((path for path, part in holder.named_modules() if part is module), "")
    if found:
        return found
    for name, value in vars(holder).items():
        if value is module:
            return name
        if isinstance(value, dict | list | tuple):
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in parts:
                if part is module:
                    return f"{name}[{key!r}]"
    return ""
