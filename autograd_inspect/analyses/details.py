"""All that is known of one operation, or of several that are shown as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.flow import Cut
from autograd_inspect.model.folds import Folds
from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.rows import Call, Leaf, Saved

#: Of saved tensors, leaves and cuts, so many are told.
_FEW = 12


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of some rows of folds.

    node    the number of the node, -1 where there are several rows
    op      autograd's name of it, empty likewise
    call    the module call around all of them
    lines   the lines that made them, innermost first; none where these differ
    saved   tensors kept for backward, the largest first, and how many there are
    leaves  leaves used, and how many there are
    cuts    places that cut the graph, whose values went in here
    """

    node: int
    op: str
    call: Call | None
    lines: tuple[Place, ...]
    saved: tuple[Saved, ...]
    saved_number: int
    leaves: tuple[Leaf, ...]
    leaves_number: int
    cuts: tuple[Cut, ...]

    @property
    def module(self) -> Module | None:
        """The module that they were made in."""
        return self.call.module if self.call else None


def details_of(folds: Folds, first: int, stop: int, call: int = -1) -> Details:
    """Collect what is known of rows; `call` is the module call that they are, if they are one."""
    graph = folds.graph
    nodes = np.flatnonzero((folds.row >= first) & (folds.row < stop))
    one = stop - first == 1
    node = graph.node(int(folds.node[first])) if one else None
    if call < 0 and node is not None:
        call = int(graph.node_table.call[node.index])
    stacks = np.unique(graph.node_table.stack[folds.node[first:stop]])
    saved = np.flatnonzero(np.isin(graph.saved_table.node, nodes))
    saved = saved[np.argsort(-graph.saved_table.bytes[saved], kind="stable")]
    span = slice(*np.searchsorted(folds.uses.source, [first, stop]).tolist())
    leaves = list(dict.fromkeys(folds.uses.leaf[span].tolist()))
    uses = graph.cut_use_table
    cuts = list(dict.fromkeys(uses.cut[np.isin(uses.node, nodes)].tolist()))
    return Details(
        node=node.index if node else -1,
        op=node.op if node else "",
        call=Call(graph, call) if call >= 0 else None,
        lines=graph.lines_of(int(stacks[0])) if len(stacks) == 1 else (),
        saved=tuple(Saved(graph, row) for row in saved[:_FEW].tolist()),
        saved_number=len(saved),
        leaves=tuple(graph.leaf_at[leaf] for leaf in leaves[:_FEW]),
        leaves_number=len(leaves),
        cuts=tuple(Cut(graph, row) for row in cuts[:_FEW]),
    )
