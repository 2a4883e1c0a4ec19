"""Select nodes: what lies near one, on a path, in a module, or nearest to the roots.

Each gives a mark per node; marks are put together with `&`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Bools, Ints, Kind, Longs
from autograd_inspect.passes.absorb import sources_of


def near(graph: Graph, nodes: Ints, radius: int) -> Bools:
    """Select what at most `radius` edges separate from some nodes, whichever way they run."""
    source, target = _edges(graph)
    reached = np.zeros(len(graph), np.bool_)
    reached[nodes] = True
    for _ in range(radius):
        found = reached.copy()
        found[target[reached[source]]] = True
        found[source[reached[target]]] = True
        if np.array_equal(found, reached):
            break
        reached = found
    return reached


def above(graph: Graph, nodes: Ints) -> Bools:
    """Select all that lies on a path from a root to some nodes: what their gradient came through.

    All of a graph is reached from its roots, for it was walked from them.
    """
    source, target = _edges(graph)
    order = np.argsort(target, kind="stable")
    users, start = source[order], np.searchsorted(target[order], np.arange(len(graph) + 1))
    reached = np.zeros(len(graph), np.bool_)
    reached[nodes] = True
    frontier = np.unique(nodes)
    while len(frontier):
        number = start[frontier + 1] - start[frontier]
        before = np.cumsum(number) - number
        edges = np.repeat(start[frontier] - before, number) + np.arange(number.sum())
        found = np.unique(users[edges])
        frontier = found[~reached[found]]
        reached[frontier] = True
    return reached


def matching(graph: Graph, include: Iterable[str], exclude: Iterable[str]) -> Bools:
    """Select by patterns: those of `include`, all where there is none, without those of `exclude`.

    A pattern is compared with the operation, the module's path and class and all around it, and
    the leaf's name; `*`, `?` and `[...]` are as in file names. A leaf goes with those who use it.
    """
    wanted, unwanted = list(include), list(exclude)
    chosen = _like_any(graph, wanted) if wanted else np.ones(len(graph), np.bool_)
    return chosen & ~_like_any(graph, unwanted) if unwanted else chosen


def _edges(graph: Graph) -> tuple[Longs, Longs]:
    target = graph.edge_table.target.astype(np.int64)
    defined = target >= 0
    return sources_of(graph)[defined], target[defined]


def _like_any(graph: Graph, patterns: list[str]) -> Bools:
    """Mark the nodes that a pattern fits by operation, module or name."""
    table = graph.node_table
    ops = np.array([_fits(op, patterns) or _fits(_short(op), patterns) for op in graph.ops], bool)
    calls = np.append(_calls_like(graph, patterns), False)
    marks: Bools = ops[table.op] | calls[table.call]
    names = [_fits(name, patterns) for name in graph.names]
    leaves = graph.leaf_table
    marks[leaves.node[np.array([*names, False], bool)[leaves.name]]] = True
    source, target = _edges(graph)
    used = (table.kind[target] == Kind.LEAF) & marks[source]
    marks[target[used]] = True
    return marks


def _calls_like(graph: Graph, patterns: list[str]) -> Bools:
    """Mark the module calls that a pattern fits, and all in them; a caller has a smaller number."""
    fitting = [
        any(_fits(text, patterns) for text in (module.path, module.full_name, module.cls) if text)
        for module in graph.modules
    ]
    marks: list[bool] = []
    rows = zip(graph.call_table.module.tolist(), graph.call_table.parent.tolist(), strict=True)
    for module, parent in rows:
        marks.append(fitting[module] or (parent >= 0 and marks[parent]))
    return np.array(marks, np.bool_)


def _short(op: str) -> str:
    return op.rstrip("0123456789").removesuffix("Backward")


def _fits(text: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(text.lower(), pattern.lower()) for pattern in patterns)
