"""The part of a graph that is to be drawn, while passes work on it: still columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.tables import Kind

TIMES = "\N{MULTIPLICATION SIGN}"

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Boxes and arrows of a graph, by number.

    node    per box, its node in the graph
    source  per arrow, the box nearer to the root
    target  per arrow, the box nearer to the leaves
    edge    per arrow, its row in the edge table
    hidden_by  per node of the graph, the stand-in that it is hidden in, -1 for those shown
    hidden  per stand-in for what is not shown, how many nodes it stands for
    frontier, hidden_in  pairs: box `frontier[i]` leads into stand-in `hidden_in[i]`
    below   the boxes that the last stand-in leads to, where that has nothing shown above it
    """

    graph: Graph
    node: Rows
    source: Rows
    target: Rows
    edge: Rows
    hidden_by: Rows
    hidden: Rows
    frontier: Rows
    hidden_in: Rows
    below: Rows

    def __len__(self) -> int:
        """Count the boxes, those for what is hidden left out."""
        return len(self.node)


def edge_sources(graph: Graph) -> Rows:
    """Give the node that each row of the edge table starts at."""
    return np.repeat(np.arange(len(graph)), np.diff(graph.edge_table.start))


def is_leaf(graph: Graph) -> npt.NDArray[np.bool_]:
    """Tell the leaves among the nodes."""
    mark: npt.NDArray[np.bool_] = graph.node_table.kind == Kind.LEAF
    return mark


def combined(*columns: npt.NDArray[np.integer]) -> Rows:
    """Give one number per row, equal for rows that are equal in all columns."""
    key: Rows = np.zeros(len(columns[0]), np.int64)
    bound = 1
    for column in columns:
        span = int(column.max()) + 2 if len(column) else 1
        if bound * span >= 2**62:  # renumber before the product would overflow
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            bound = int(key.max()) + 1
        key = key * span + (column + 1)
        bound *= span
    return key
