"""Graphs and captures made by hand, so that most tests need no torch.

`make_graph("loss>mul mul>a mul>b")` is three nodes and three edges. A node whose name has no
outgoing edge is a leaf of that name; every other node's op is its name, capitalised, with
`Backward0` behind it, digits at the end of the name left out (`mul2` is a second `MulBackward0`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from autograd_inspect.model.capture import About, Backward, Capture
from autograd_inspect.model.gradients import (
    HISTOGRAM_DECADES,
    Gradients,
    GradientTable,
    Holding,
    Reason,
)
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.tables import (
    CallTable,
    EdgeTable,
    Kind,
    LeafTable,
    NodeTable,
    OutputTable,
    RootTable,
    SavedTable,
    Spec,
    empty,
)


def make_graph(text: str, *, shape: tuple[int, ...] = (2, 3)) -> Graph:
    """Make the graph that `text` draws; the first name is the root."""
    pairs = [arrow.split(">") for arrow in text.split()]
    order = list(dict.fromkeys(name for pair in pairs for name in pair))
    number = {name: index for index, name in enumerate(order)}
    edges: list[list[int]] = [[] for _ in order]
    for pair in pairs:
        if len(pair) == 2:
            edges[number[pair[0]]].append(number[pair[1]])
    ops = [
        f"{name.rstrip('0123456789').capitalize()}Backward0" if edges[i] else "AccumulateGrad"
        for i, name in enumerate(order)
    ]
    names = {i: name for i, name in enumerate(order) if not edges[i]} | {0: order[0]}
    return graph_of(edges, ops=ops, names=names, shape=shape)


def graph_of(
    edges: Sequence[Sequence[int]],
    *,
    ops: Sequence[str] | None = None,
    names: dict[int, str] | None = None,
    roots: Iterable[int] = (0,),
    shape: tuple[int, ...] = (2, 3),
    attributes: str = "{}",
) -> Graph:
    """Make a graph from adjacency lists; no edges make a leaf, -1 is an undefined edge."""
    count = len(edges)
    names = names or {}
    is_leaf = [not any(target >= 0 for target in targets) for targets in edges]
    ops = ops or ["AccumulateGrad" if leaf else "MulBackward0" for leaf in is_leaf]
    op_rows, op_table = _intern(ops)
    leaves = [i for i in range(count) if is_leaf[i]]
    name_table = tuple(dict.fromkeys(names.values()))
    row_of_name = {name: row for row, name in enumerate(name_table)}
    roots = list(roots)

    def name_row(node: int) -> int:
        return row_of_name.get(names.get(node, ""), -1)

    flat = [target for targets in edges for target in targets]
    return Graph(
        node_table=NodeTable(
            op=np.array(op_rows, np.int32),
            kind=np.array([Kind.LEAF if leaf else Kind.OPERATION for leaf in is_leaf], np.uint8),
            sequence=np.array([-1 if is_leaf[i] else count - i for i in range(count)], np.int64),
            depth=np.array(depths(edges, roots), np.int32),
            attributes=np.zeros(count, np.int32),
            hooks=np.full(count, -1, np.int32),
            stack=np.full(count, -1, np.int32),
            call=np.full(count, -1, np.int32),
            variable=np.full(count, -1, np.int32),
            turn=np.full(count, -1, np.int32),
            spent=np.full(count, -1, np.int64),
        ),
        edge_table=EdgeTable(
            start=np.cumsum([0, *map(len, edges)], dtype=np.int64),
            target=np.array(flat, np.int32),
            output=np.zeros(len(flat), np.int32),
            passed=np.full(len(flat), -1, np.int32),
        ),
        output_table=OutputTable(
            start=np.arange(count + 1, dtype=np.int64),
            spec=np.zeros(count, np.int32),
            arrived=np.full(count, -1, np.int32),
        ),
        saved_table=empty(SavedTable),
        leaf_table=LeafTable(
            node=np.array(leaves, np.int32),
            name=np.array([name_row(i) for i in leaves], np.int32),
            requires_grad=np.ones(len(leaves), np.bool_),
            aliases=np.full(len(leaves), -1, np.int32),
        ),
        root_table=RootTable(
            node=np.array(roots, np.int32),
            output=np.zeros(len(roots), np.int32),
            name=np.array([name_row(i) for i in roots], np.int32),
        ),
        ops=op_table,
        names=name_table,
        specs=(Spec(shape, "float32", "cpu"),),
        attributes=(attributes,),
    )


def with_origins(
    graph: Graph,
    *,
    places: dict[int, str] | None = None,
    calls: dict[int, str] | None = None,
    variables: dict[int, str] | None = None,
) -> Graph:
    """Say where nodes come from, by node number.

    A place is `model.py:12` or `model.py:12 forward`, several of a stack joined by `<`, innermost
    first. A call is `h.0.attn:Attention` or, from the second call on, `h.0.attn:Attention#2`; every
    prefix of the path that is a call of another node is its parent. The owner is `model`.
    """
    place_rows: dict[Place, int] = {}
    stack_rows: dict[Stack, int] = {}
    stack = np.full(len(graph), -1, np.int32)
    for node, text in (places or {}).items():
        lines = []
        for one in text.split("<"):
            where, _, function = one.strip().partition(" ")
            file, _, line = where.rpartition(":")
            place = Place(file, int(line), function or "<module>")
            lines.append(place_rows.setdefault(place, len(place_rows)))
        stack[node] = stack_rows.setdefault(Stack(tuple(lines)), len(stack_rows))
    call = np.full(len(graph), -1, np.int32)
    modules: dict[Module, int] = {}
    table: list[tuple[int, int, int]] = []
    row_of: dict[str, int] = {}
    for text in sorted(set((calls or {}).values()), key=lambda text: text.replace(":", ".")):
        name, _, number = text.partition("#")
        path, _, cls = name.partition(":")
        module = modules.setdefault(Module("model", path, cls), len(modules))
        outer = [t for t in row_of if _is_inside(path, t.partition(":")[0])]
        parent = row_of[max(outer, key=len)] if outer else -1
        row_of[text] = len(table)
        table.append((module, int(number or 1), parent))
    for node, text in (calls or {}).items():
        call[node] = row_of[text]
    names = dict.fromkeys([*graph.names, *(variables or {}).values()])
    name_row = {name: row for row, name in enumerate(names)}
    variable = np.full(len(graph), -1, np.int32)
    for node, name in (variables or {}).items():
        variable[node] = name_row[name]
    columns = np.array(table, np.int32).reshape(len(table), 3)
    return replace(
        graph,
        node_table=replace(graph.node_table, stack=stack, call=call, variable=variable),
        call_table=CallTable(columns[:, 0], columns[:, 1], columns[:, 2]),
        names=tuple(names),
        places=tuple(place_rows),
        stacks=tuple(stack_rows),
        modules=tuple(modules),
    )


def _is_inside(path: str, outer: str) -> bool:
    return path != outer and (not outer or path.startswith(f"{outer}."))


def depths(edges: Sequence[Sequence[int]], roots: Iterable[int]) -> list[int]:
    """Count the edges on the longest path from a root to each node, by relaxing in rounds."""
    depth = [0] * len(edges)
    frontier = set(roots)
    while frontier:
        following = set()
        for node in frontier:
            for target in edges[node]:
                if target >= 0 and depth[target] < depth[node] + 1:
                    depth[target] = depth[node] + 1
                    following.add(target)
        frontier = following
    return depth


def make_gradients(names: Sequence[str] = ("a", "b")) -> Gradients:
    """Make a gradient table: norm 1, 2, 3 ... for the names in turn."""
    count = len(names)
    figures = np.arange(1, count + 1, dtype=np.float64)
    whole = np.zeros(count, np.int64)
    return Gradients(
        GradientTable(
            name=np.arange(count, dtype=np.int32),
            node=np.full(count, -1, np.int32),
            spec=np.zeros(count, np.int32),
            dtype=np.zeros(count, np.int32),
            reason=np.full(count, Reason.ARRIVED, np.uint8),
            before=np.zeros(count, np.bool_),
            norm=figures,
            mean=figures / 10,
            mean_imag=np.zeros(count),
            std=figures / 5,
            min=-figures,
            max=figures,
            zeros=whole,
            nan=whole,
            inf=whole,
            count=np.full(count, 6, np.int64),
            histogram=np.zeros((count, len(HISTOGRAM_DECADES) - 1), np.int64),
            holding=np.full(count, Holding.UNKNOWN, np.uint8),
        ),
        names=tuple(names),
        specs=(Spec((2, 3), "float32", "cpu"),),
        dtypes=("float32",),
    )


def make_capture(graph: Graph | str = "loss>mul mul>a mul>b", **about: object) -> Capture:
    """Make a capture of a graph, with a gradient for each of its leaves."""
    graph = make_graph(graph) if isinstance(graph, str) else graph
    facts = {
        "target": "train.py",
        "expression": "loss",
        "place": Place("train.py", 12, "train"),
        "call": "backward",
        "number": 1,
        "backward": Backward.SCRIPT,
    }
    gradients = make_gradients([leaf.name or "?" for leaf in graph.leaves])
    return Capture(graph, gradients, About(**(facts | about)))  # type: ignore[arg-type]


def _intern(words: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    table = {word: row for row, word in enumerate(dict.fromkeys(words))}
    return [table[word] for word in words], tuple(table)
