"""From tensors to a graph: walk the structure, then read every node once.

Only columns are built here. Saved tensors may only be read before the backward runs and on the
thread that is about to run it; the caller sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS, GraphNode
from autograd_inspect.autograd.details import (
    DetailReader,
    Interned,
    NodeClass,
    describe_class,
    make_spec,
    storages_of,
)
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
    SavedTable,
)

Names = Mapping[int, str]
"""The program's names for tensors, by `id` of the tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A graph, and the part of torch that it was read from.

    Holds the program's graph alive: drop it as soon as the gradients are read.
    """

    graph: Graph
    structure: Structure
    leaves: list[torch.Tensor]

    @property
    def nodes(self) -> list[GraphNode]:
        """Torch's nodes; the number of one is its row in the graph."""
        return self.structure.nodes

    def node_of(self, tensor: torch.Tensor) -> int:
        """Give the number of the node that a tensor came from or accumulates into, or -1."""
        if tensor.grad_fn is not None:
            return self.structure.index.get(tensor.grad_fn, -1)
        places = (i for i, leaf in enumerate(self.leaves) if leaf is tensor)
        place = next(places, -1)
        return int(self.graph.leaf_table.node[place]) if place >= 0 else -1


def walk(roots: Sequence[torch.Tensor | GradientEdge], *, saved: bool = True) -> Walk:
    """Walk the graph of tensors that require grad, or of gradient edges.

    `saved=False` leaves the saved tensors out, and so does a torch that cannot show them. Names
    are put in afterwards, by `with_names`, once it is known which tensors there are to name.
    """
    edges = [gradient_edge(root) for root in roots]
    with collector_paused():
        structure = walk_structure(edge.node for edge in edges)
        return _read(structure, edges, saved=saved)


def gradient_edge(root: torch.Tensor | GradientEdge) -> GradientEdge:
    """Give the node and output that a backward from this root starts at."""
    return root if isinstance(root, GradientEdge) else get_gradient_edge(root)


def with_names(walked: Walk, names: Names, root_names: Sequence[str] = ()) -> Graph:
    """Give the graph with its leaves, and its roots in their order, named."""
    graph = walked.graph
    table: Interned[str] = Interned(graph.names)
    leaves = [_name_row(table, names.get(id(leaf), "")) for leaf in walked.leaves]
    roots = [_name_row(table, name) for name in root_names] or [-1] * len(graph.root_table.node)
    return replace(
        graph,
        leaf_table=replace(graph.leaf_table, name=np.array(leaves, np.int32)),
        root_table=replace(graph.root_table, name=np.array(roots, np.int32)),
        names=tuple(table.rows),
    )


def _name_row(table: Interned[str], name: str) -> int:
    return table(name) if name else -1


def _read(
    structure: Structure,
    roots: Sequence[GradientEdge],
    *,
    saved: bool,
) -> Walk:
    reader = DetailReader()
    ops, kinds, sequences, attributes = [], [], [], []
    output_start, output_specs = [0], []
    classes: dict[type, NodeClass] = {}
    for number, node in enumerate(structure.nodes):
        kind = type(node)
        cls = classes.get(kind)
        if cls is None:
            cls = describe_class(node)
            # Nodes torch has no Python class for share one and differ in name.
            if kind.__name__ != "CppFunction":
                classes[kind] = cls
        ops.append(reader.ops(cls.op))
        kinds.append(cls.kind)
        sequences.append(node._sequence_nr())
        attributes.append(reader.scalars(node, cls))
        output_specs += reader.outputs(node)
        output_start.append(len(output_specs))
        if saved and SHOWS_SAVED_TENSORS and cls.raw:
            reader.read_saved(number, node, cls)
    leaves = [i for i, kind in enumerate(kinds) if kind is Kind.LEAF]
    variables = [structure.nodes[i].variable for i in leaves]
    graph = Graph(
        node_table=NodeTable(
            op=np.array(ops, np.int32),
            kind=np.array(kinds, np.uint8),
            sequence=_signed(sequences),
            depth=np.array(longest_paths(structure), np.int32),
            attributes=np.array(attributes, np.int32),
            hooks=_hook_counts(len(ops), leaves, variables),
        ),
        edge_table=EdgeTable(
            start=np.array(structure.start, np.int64),
            target=np.array(structure.target, np.int32),
            output=np.array(structure.output, np.int32),
        ),
        output_table=OutputTable(
            start=np.array(output_start, np.int64), spec=np.array(output_specs, np.int32)
        ),
        saved_table=_saved_table(reader, variables),
        leaf_table=LeafTable(
            node=np.array(leaves, np.int32),
            name=np.full(len(leaves), -1, np.int32),
            requires_grad=np.array([v.requires_grad for v in variables], np.bool_),
        ),
        root_table=RootTable(
            node=np.array([structure.index[root.node] for root in roots], np.int32),
            output=np.array([root.output_nr for root in roots], np.int32),
            name=np.full(len(roots), -1, np.int32),
        ),
        ops=tuple(reader.ops.rows),
        names=tuple(reader.names.rows),
        specs=tuple(map(make_spec, reader.specs.rows)),
        attributes=tuple(reader.attributes.rows),
    )
    return Walk(graph, structure, variables)


def _signed(sequences: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Turn the sequence number of a leaf, 2**64 - 1, into -1."""
    return np.array(sequences, np.uint64).astype(np.int64)


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


def _saved_table(reader: DetailReader, variables: list[torch.Tensor]) -> SavedTable:
    rows = reader.saved
    leaf_of = {
        reader.storages.rows[address]: leaf
        for leaf, variable in enumerate(variables)
        for address, _ in storages_of(variable)
        if address in reader.storages.rows
    }
    return SavedTable(
        node=np.array(rows.node, np.int32),
        name=np.array(rows.name, np.int32),
        spec=np.array(rows.spec, np.int32),
        bytes=np.array(rows.bytes, np.int64),
        storage=np.array(rows.storage, np.int32),
        leaf=np.array([leaf_of.get(storage, -1) for storage in rows.storage], np.int32),
        state=np.array(rows.state, np.uint8),
    )
