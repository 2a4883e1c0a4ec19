"""Two graphs at a glance: whether they are built alike, and which of them comes first."""

from __future__ import annotations

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Longs


def are_twins(one: Graph, other: Graph) -> bool:
    """Tell whether two graphs are built alike, node for node, at a glance."""
    pairs = [
        *((getattr(one.node_table, name), getattr(other.node_table, name)) for name in _BUILT_OF),
        (one.edge_table.start, other.edge_table.start),
        (one.edge_table.target, other.edge_table.target),
        (one.edge_table.output, other.edge_table.output),
        (one.call_table.module, other.call_table.module),
        (one.call_table.parent, other.call_table.parent),
        (one.leaf_table.node, other.leaf_table.node),
    ]
    tables = [(one.ops, other.ops), (one.modules, other.modules)]
    leaves = [list(map(graph.name, graph.leaf_table.name.tolist())) for graph in (one, other)]
    return (
        all(here == there for here, there in tables)
        and all(np.array_equal(here, there) for here, there in pairs)
        and leaves[0] == leaves[1]
    )


_BUILT_OF = ("op", "kind", "call")


def order_of(graph: Graph) -> tuple[object, ...]:
    """Give what tells graphs apart and can be compared."""
    tables = graph.node_table.op, graph.edge_table.target, graph.output_table.spec
    modules = [module.full_name for module in graph.modules]
    return len(graph), *(column.tobytes() for column in tables), graph.ops, graph.names, modules


def inverse_of(like: Longs, count: int) -> Longs:
    """Give the pairs of an alignment as the other graph has them."""
    back = np.full(count, -1, np.int64)
    known = np.flatnonzero(like >= 0)
    back[like[known]] = known
    return back
