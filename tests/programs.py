"""Random programs and what they record, made without torch: loops, modules, views, several roots.

A program is a tuple of statements over a few variables. `run` executes it, and what it recorded is
turned into a graph as a walk finds it: roots first, leaves without sequence numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from build import graph_of, make_capture
from hypothesis import HealthCheck, assume, note, settings
from hypothesis import strategies as st

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module
from autograd_inspect.model.probes import PassedTable
from autograd_inspect.model.tables import (
    CallTable,
    Kind,
    OutputTable,
    SavedRole,
    SavedState,
    SavedTable,
    Spec,
)

#: Programs take long to make on a busy machine; so many of them show what is wrong.
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHAPES = ((2, 3), (4, 3), (2, 5), ())
OPS = ("mul", "add", "tanh", "mm")


@dataclass(frozen=True)
class Op:
    """Computes `target` from variables, from an `own` leaf, or from what has no graph."""

    name: str
    inputs: tuple[str, ...]
    target: str
    shape: int = 0
    is_view: bool = False


@dataclass(frozen=True)
class Loop:
    """Does something several times."""

    times: int
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Call:
    """Does something in a module of its own."""

    cls: str
    body: tuple[Statement, ...]


Statement = Op | Loop | Call


@dataclass(frozen=True)
class Made:
    """A node: its inputs as nodes and the outputs taken of them, None where undefined."""

    op: str
    inputs: tuple[tuple[int, int] | None, ...]
    kind: Kind
    shape: int
    call: int


@dataclass
class Recorded:
    """All that a program made, in the order in which it did; the variables at its end."""

    made: list[Made] = field(default_factory=list)
    calls: list[tuple[str, str, int]] = field(default_factory=list)
    variables: dict[str, int | None] = field(default_factory=dict)


def run(program: Sequence[Statement]) -> Recorded:
    """Execute a program."""
    recorded = Recorded()
    leaf = _leaf(recorded, 0)
    recorded.variables |= {"x": leaf, "h": None, "shared": _leaf(recorded, 0), "memory": leaf}
    _execute(program, recorded, call=-1, path="net")
    return recorded


def size_of(program: Sequence[Statement]) -> int:
    """Count the operations that a program executes."""
    sizes = (1 if isinstance(one, Op) else size_of(one.body) for one in program)
    return sum(
        size * (one.times if isinstance(one, Loop) else 1)
        for one, size in zip(program, sizes, strict=True)
    )


def _execute(program: Sequence[Statement], recorded: Recorded, call: int, path: str) -> None:
    for number, statement in enumerate(program):
        match statement:
            case Op():
                _compute(statement, recorded, call)
            case Loop(times, body):
                for turn in range(times):
                    _execute(body, recorded, call, f"{path}.{number}.{turn}")
            case Call(cls, body):
                recorded.calls.append((f"{path}.{number}", cls, call))
                row = len(recorded.calls) - 1
                _execute(body, recorded, row, f"{path}.{number}")


def _compute(op: Op, recorded: Recorded, call: int) -> None:
    inputs = []
    for name in op.inputs:
        node = _leaf(recorded, op.shape) if name == "own" else recorded.variables.get(name)
        inputs.append(None if node is None else (node, 0))
    if not any(inputs):
        recorded.variables[op.target] = None
        return
    kind = Kind.VIEW if op.is_view else Kind.OPERATION
    recorded.made.append(Made(op.name, tuple(inputs), kind, op.shape, call))
    recorded.variables[op.target] = len(recorded.made) - 1


def _leaf(recorded: Recorded, shape: int) -> int:
    recorded.made.append(Made("leaf", (), Kind.LEAF, shape, -1))
    return len(recorded.made) - 1


def graph_from(recorded: Recorded, roots: Sequence[int]) -> Graph:
    """Make the graph that a walk from some of the nodes finds."""
    order = list(dict.fromkeys(roots))
    for node in order:  # grows
        found = [one[0] for one in recorded.made[node].inputs if one]
        order += [one for one in dict.fromkeys(found) if one not in set(order)]
    number = {node: place for place, node in enumerate(order)}
    made = [recorded.made[node] for node in order]
    edges = [[-1 if one is None else number[one[0]] for one in node.inputs] for node in made]
    ops = [
        "AccumulateGrad" if node.kind == Kind.LEAF else f"{node.op.title()}Backward0"
        for node in made
    ]
    graph = graph_of(edges, ops=ops, roots=[number[root] for root in roots])
    sequence = [-1 if node.kind == Kind.LEAF else order[i] for i, node in enumerate(made)]
    table = np.array([-1 if c < 0 else c for *_, c in recorded.calls], np.int32)
    rows = np.arange(len(table), dtype=np.int32)
    return replace(
        graph,
        node_table=replace(
            graph.node_table,
            sequence=np.array(sequence, np.int64),
            kind=np.array([node.kind for node in made], np.uint8),
            call=np.array([node.call for node in made], np.int32),
        ),
        output_table=replace(
            graph.output_table, spec=np.array([node.shape for node in made], np.int32)
        ),
        specs=tuple(Spec(shape, "float32", "cpu") for shape in SHAPES),
        call_table=CallTable(rows, np.ones(len(table), np.int32), table),
        modules=tuple(Module("net", path, cls) for path, cls, _ in recorded.calls),
    )


def measured(graph: Graph, draw: np.random.Generator) -> Capture:
    """Say what nodes save, how long they took and what arrived at them, each at random."""
    count, saved = len(graph), 2 * len(graph)
    storage = draw.integers(-1, count, saved).astype(np.int32)
    norm = np.where(draw.random(count) < 0.8, draw.random(count), np.inf)
    whole = np.zeros(count, np.int64)
    return make_capture(
        replace(
            graph,
            node_table=replace(graph.node_table, spent=draw.integers(-1, 9, count)),
            output_table=OutputTable(
                graph.output_table.start,
                graph.output_table.spec,
                np.where(draw.random(count) < 0.8, np.arange(count), -1).astype(np.int32),
            ),
            saved_table=SavedTable(
                node=draw.integers(0, count, saved).astype(np.int32),
                name=np.full(saved, -1, np.int32),
                spec=np.zeros(saved, np.int32),
                bytes=(storage.astype(np.int64) * 7) % 50,
                storage=storage,
                leaf=np.where(draw.random(saved) < 0.2, 0, -1).astype(np.int32),
                state=draw.choice(list(SavedState), saved).astype(np.uint8),
                role=draw.choice(list(SavedRole), saved).astype(np.uint8),
                origin=np.full(saved, -1, np.int32),
                packer=np.full(saved, -1, np.int32),
                stale=np.zeros(saved, np.bool_),
                write=np.full(saved, -1, np.int32),
            ),
            passed_table=PassedTable(
                np.where(np.isinf(norm), 1.0, norm),
                np.ones(count),
                whole,
                np.isinf(norm).astype(np.int64),
                whole,
                np.ones(count, np.int64),
            ),
        )
    )


_variables = st.sampled_from(["x", "x", "h", "own", "shared", "memory", "nothing"])
_ops = st.builds(
    Op,
    name=st.sampled_from(OPS),
    inputs=st.lists(_variables, min_size=1, max_size=3).map(tuple),
    target=st.sampled_from(["x", "x", "h", "memory"]),
    shape=st.integers(0, len(SHAPES) - 1),
    is_view=st.booleans() | st.just(False),
)


def _bodies(inner: st.SearchStrategy[Statement]) -> st.SearchStrategy[Statement]:
    body = st.lists(inner, min_size=1, max_size=4).map(tuple)
    return st.builds(Loop, times=st.integers(2, 6), body=body) | st.builds(
        Call, cls=st.sampled_from("AB"), body=body
    )


statements = st.recursive(_ops, _bodies, max_leaves=6)
programs = st.lists(statements, min_size=1, max_size=5).map(tuple)


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    """Give what random programs record, and graphs that no program of one thread makes."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    capture = measured(draw(structured_graphs() | loose_graphs()), generator)
    note(_drawn(capture.graph))
    return capture


def _drawn(graph: Graph) -> str:
    """Write a graph down for whoever reads of a test that failed."""
    table, lines = graph.node_table, []
    for node in graph.nodes:
        edges = [int(graph.edge_table.target[edge]) for _, edge in inputs_of(graph, node.index)]
        row = table.sequence[node.index], table.call[node.index], table.kind[node.index]
        lines.append(f"{node.index} {node.op} {edges} sequence, call, kind {row}")
    calls = graph.call_table.parent.tolist()
    return "\n".join([*lines, f"roots {graph.root_table.node.tolist()}, calls in {calls}"])


@st.composite
def structured_graphs(draw: st.DrawFn) -> Graph:
    """Give the graph of a random program, from one root or several."""
    program = draw(programs)
    assume(size_of(program) <= 200)
    recorded = run(program)
    ends = [node for node in dict.fromkeys(recorded.variables.values()) if node is not None]
    roots = [end for end in ends if draw(st.booleans())] or [len(recorded.made) - 1]
    return graph_from(recorded, roots)


@st.composite
def loose_graphs(draw: st.DrawFn) -> Graph:
    """Give nodes that lead to any later ones, numbered by several threads, in calls at random."""
    count = draw(st.integers(1, 14))
    edges: list[list[int]] = []
    for node in range(count):
        later = st.integers(node + 1, count - 1) if node < count - 1 else st.just(-1)
        edges.append(draw(st.lists(later | st.just(-1), max_size=3)))
    used = {target for targets in edges for target in targets}
    roots = [node for node in range(count) if node not in used or draw(st.integers(0, 9)) == 0]
    graph = graph_of(edges, roots=roots)
    calls = draw(st.integers(0, 4))
    parents = [draw(st.integers(-1, row - 1)) for row in range(calls)]
    kinds = np.where(
        draw(st.lists(st.booleans(), min_size=count, max_size=count)), Kind.VIEW, Kind.OPERATION
    )
    leaf = graph.node_table.kind == Kind.LEAF
    sequence = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    call = draw(st.lists(st.integers(-1, calls - 1), min_size=count, max_size=count))
    return replace(
        graph,
        node_table=replace(
            graph.node_table,
            kind=np.where(leaf, Kind.LEAF, kinds).astype(np.uint8),
            sequence=np.where(leaf, -1, sequence),
            call=np.array(call, np.int32),
        ),
        call_table=CallTable(
            np.arange(calls, dtype=np.int32),
            np.ones(calls, np.int32),
            np.array(parents, np.int32).reshape(calls),
        ),
        modules=tuple(Module("net", f"m.{row}", "AB"[row % 2]) for row in range(calls)),
    )


def inputs_of(graph: Graph, node: int) -> Iterator[tuple[int, int]]:
    """Give the edges of a node: which slot, and the row of the edge."""
    start, stop = graph.edge_table.start[node : node + 2].tolist()
    return enumerate(range(start, stop))
