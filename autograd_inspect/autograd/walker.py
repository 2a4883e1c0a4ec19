"""From tensors to a graph: walk the structure, then read every node once.

Only columns are built here. Saved tensors may only be read before the backward runs and on the
thread that is about to run it; the caller sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Any

import numpy as np
import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS, GraphNode, made_by
from autograd_inspect.autograd.details import (
    DetailReader,
    Interned,
    describe_class,
    make_spec,
)
from autograd_inspect.autograd.roles import owned
from autograd_inspect.autograd.saved import SavedReader
from autograd_inspect.autograd.structure import (
    Structure,
    collector_paused,
    longest_paths,
    walk_structure,
)
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import (
    EdgeTable,
    Kind,
    LeafTable,
    NodeTable,
    OutputTable,
    RootTable,
)

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

Names = Mapping[int, str]
"""The program's names for tensors, by `id` of the tensor."""

EMPTY: Names = {}


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A graph, and the part of torch that it was read from.

    Holds the program's graph alive: drop it as soon as the gradients are read. `storages` are the
    addresses of the storages that `SavedTable.storage` numbers.
    """

    graph: Graph
    structure: Structure
    leaves: list[torch.Tensor]
    storages: list[int]

    @property
    def nodes(self) -> list[GraphNode]:
        """Torch's nodes; the number of one is its row in the graph."""
        return self.structure.nodes

    def node_of(self, tensor: torch.Tensor) -> int:
        """Give the number of the node that a tensor came from or accumulates into, or -1."""
        maker = made_by(tensor)
        if maker is not None:
            return self.structure.index.get(maker, -1)
        places = (i for i, leaf in enumerate(self.leaves) if leaf is tensor)
        place = next(places, -1)
        return int(self.graph.leaf_table.node[place]) if place >= 0 else -1


def walk(roots: Sequence[torch.Tensor | GradientEdge], *, saved: bool = True) -> Walk:
    """Walk the graph of tensors that require grad, or of gradient edges.

    `saved=False` leaves the saved tensors out, and so does a torch that cannot show them. Names
    are put in afterwards, by `with_names`, once it is known which tensors there are to name.
    """
    # The program's own tensor classes and modes are not asked: that would run its code.
    with torch._C.DisableTorchFunction(), collector_paused():
        edges = [gradient_edge(root) for root in roots]
        structure = walk_structure(edge.node for edge in edges)
        return _read(structure, edges, saved=saved)


def gradient_edge(root: torch.Tensor | GradientEdge) -> GradientEdge:
    """Give the node and output that a backward from this root starts at."""
    return root if isinstance(root, GradientEdge) else get_gradient_edge(root)


def with_names(
    walked: Walk, names: Names, root_names: Sequence[str] = (), aliases: Names = EMPTY
) -> Graph:
    """Give the graph with its leaves, and its roots in their order, named.

    `aliases` are the other names of a leaf that has several, by commas.
    """
    graph = walked.graph
    table: Interned[str] = Interned(graph.names)
    leaves = [_name_row(table, names.get(id(leaf), "")) for leaf in walked.leaves]
    others = [_name_row(table, aliases.get(id(leaf), "")) for leaf in walked.leaves]
    roots = [_name_row(table, name) for name in root_names] or [-1] * len(graph.root_table.node)
    return replace(
        graph,
        leaf_table=replace(
            graph.leaf_table,
            name=np.array(leaves, np.int32),
            aliases=np.array(others, np.int32),
        ),
        root_table=replace(graph.root_table, name=np.array(roots, np.int32)),
        names=tuple(table),
    )


def with_owners(
    walked: Walk,
    parameters: Iterable[torch.Tensor],
    buffers: Iterable[torch.Tensor],
    held: Iterable[torch.Tensor],
) -> Walk:
    """Give the walk with what modules and variables tell of the saved tensors' storages.

    `held` are tensors that the program's variables lead to.
    """
    row_of = {address: row for row, address in enumerate(walked.storages)}
    with torch._C.DisableTorchFunction():
        table = owned(
            walked.graph.saved_table, row_of, parameters=parameters, buffers=buffers, held=held
        )
    return replace(walked, graph=replace(walked.graph, saved_table=table))


def _name_row(table: Interned[str], name: str) -> int:
    return table[name] if name else -1


def _read(
    structure: Structure,
    roots: Sequence[GradientEdge],
    *,
    saved: bool,
) -> Walk:
    reader = DetailReader()
    nodes = structure.nodes
    keeping = SavedReader(reader.specs, structure.index)
    ops, attributes = np.empty((2, len(nodes)), np.int32)
    kinds = np.empty(len(nodes), np.uint8)
    for rows in by_class(nodes):
        numbers = rows.tolist()
        alike = [nodes[number] for number in numbers]
        cls = describe_class(alike[0])
        ops[rows], kinds[rows] = reader.ops[cls.op], cls.kind
        attributes[rows] = reader.scalars(alike, cls)
        if saved and SHOWS_SAVED_TENSORS:
            keeping.read(numbers, alike, cls)
    output_counts, output_specs = reader.outputs(nodes)
    sequences = np.fromiter(map(methodcaller("_sequence_nr"), nodes), np.uint64, len(nodes))
    leaves = np.flatnonzero(kinds == Kind.LEAF).tolist()
    variables = [structure.nodes[i].variable for i in leaves]
    graph = Graph(
        node_table=NodeTable(
            op=ops,
            kind=kinds,
            sequence=sequences.astype(np.int64),  # a leaf has 2**64 - 1: it becomes -1
            depth=np.array(longest_paths(structure), np.int32),
            attributes=attributes,
            hooks=_hook_counts(len(ops), leaves, variables),
            stack=np.full(len(ops), -1, np.int32),
            call=np.full(len(ops), -1, np.int32),
            variable=np.full(len(ops), -1, np.int32),
            turn=np.full(len(ops), -1, np.int32),
            spent=np.full(len(ops), -1, np.int64),
        ),
        edge_table=EdgeTable(
            start=np.array(structure.start, np.int64),
            target=np.array(structure.target, np.int32),
            output=np.array(structure.output, np.int32),
            passed=np.full(len(structure.output), -1, np.int32),
        ),
        output_table=OutputTable(
            start=np.cumsum([0, *output_counts], dtype=np.int64),
            spec=np.array(output_specs, np.int32),
            arrived=np.full(len(output_specs), -1, np.int32),
        ),
        saved_table=keeping.table(variables),
        leaf_table=LeafTable(
            node=np.array(leaves, np.int32),
            name=np.full(len(leaves), -1, np.int32),
            requires_grad=np.array([v.requires_grad for v in variables], np.bool_),
            aliases=np.full(len(leaves), -1, np.int32),
        ),
        root_table=RootTable(
            node=np.array([structure.index[root.node] for root in roots], np.int32),
            output=np.array([root.output_nr for root in roots], np.int32),
            name=np.full(len(roots), -1, np.int32),
        ),
        ops=tuple(reader.ops),
        names=tuple(keeping.names),
        specs=tuple(map(make_spec, reader.specs)),
        attributes=tuple(reader.attributes),
    )
    return Walk(graph, structure, variables, list(keeping.storages))


def by_class(nodes: Sequence[GraphNode]) -> list[Rows]:
    """Sort the nodes by class; those torch has no Python class for share one and differ in name."""
    classes: Interned[Any] = Interned()
    row = np.fromiter(map(classes.__getitem__, map(type, nodes)), np.int64, len(nodes))
    nameless = [row for cls, row in classes.items() if cls.__name__ == "CppFunction"]
    for number in np.flatnonzero(np.isin(row, nameless)).tolist():
        row[number] = classes[nodes[number].name()]
    members = np.split(np.argsort(row, kind="stable"), np.cumsum(np.bincount(row))[:-1])
    return [numbers for numbers in members if len(numbers)]


def _hook_counts(
    count: int, leaves: list[int], variables: list[torch.Tensor]
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Count hooks where torch shows them, which is on the leaf tensors only."""
    hooks = np.full(count, -1, np.int32)
    for node, variable in zip(leaves, variables, strict=True):
        plain = getattr(variable, "_backward_hooks", None) or ()
        after = getattr(variable, "_post_accumulate_grad_hooks", None) or ()
        hooks[node] = len(plain) + len(after)
    return hooks
