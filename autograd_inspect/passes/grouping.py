"""Put the boxes of a drawing into frames: one per call of a module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_inspect.model.graph import Graph
from autograd_inspect.model.view import Group
from autograd_inspect.passes.calltree import OUTSIDE, CallTree
from autograd_inspect.passes.convex import without_cycles
from autograd_inspect.passes.modules import Modules
from autograd_inspect.passes.part import Part, Rows, combined, is_leaf


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """The frames, each right before what lies in it, and the boxes in them.

    group  per box, stand-ins last, its row in `groups`, -1 for none
    alone  per box, the row of the module call that made it and nothing else, -1 for none
    """

    groups: tuple[Group, ...]
    group: Rows
    alone: Rows


def group_boxes(part: Part, modules: Modules) -> Grouping:
    """Frame the boxes by the module calls that made them; no frame is drawn around one box."""
    count = len(part) + len(part.hidden)
    none = np.full(count, -1, np.int64)
    call = part.graph.node_table.call[part.node].astype(np.int64) + 1
    if not call.any():
        return Grouping((), none, none)
    tree = CallTree.of(part.graph)
    inside = np.concatenate([call, _around_stand_ins(part, tree, call)])
    leaf = np.flatnonzero(is_leaf(part.graph)[part.node])
    inside[leaf] = _around_leaves(part, tree, inside, leaf)
    tree, inside = without_cycles(tree, inside, part)
    tree, inside, alone = _without_frames_of_one(tree, inside)
    groups, row = _numbered(tree, inside, _sizes(part.graph), modules)
    return Grouping(groups, row[inside], alone - 1)


def _around_stand_ins(part: Part, tree: CallTree, call: Rows) -> Rows:
    """Put what stands for hidden nodes into the call that made them and those they lead to."""
    graph = part.graph
    hidden = np.flatnonzero((part.hidden_by >= 0) & ~is_leaf(graph))
    owner = np.concatenate([part.hidden_by[hidden], part.hidden_in])
    calls = np.concatenate([graph.node_table.call[hidden] + 1, call[part.frontier]])
    return tree.innermost_common(owner, calls, len(part.hidden))


def _around_leaves(part: Part, tree: CallTree, inside: Rows, leaf: Rows) -> Rows:
    """Put each leaf into the call of its own module, where nothing outside of that uses it.

    Where no module's name is the beginning of its own, it goes with those who use it; a plain
    variable came from outside.
    """
    graph = part.graph
    owner = np.full(len(inside), -1, np.int64)
    owner[leaf] = np.arange(len(leaf))
    used = np.flatnonzero(owner[part.target] >= 0)
    common = tree.innermost_common(owner[part.target[used]], inside[part.source[used]], len(leaf))
    name_of_node = np.full(len(graph), -1, np.int64)
    name_of_node[graph.leaf_table.node] = graph.leaf_table.name
    name = name_of_node[part.node[leaf]]
    _, first, which = np.unique(combined(name, common), return_index=True, return_inverse=True)
    distinct = zip(name[first].tolist(), common[first].tolist(), strict=True)
    found: Rows = np.array([_home(graph, tree, *pair) for pair in distinct], np.int64)[which]
    return found


def _home(graph: Graph, tree: CallTree, name: int, common: int) -> int:
    """Go outwards from the call that contains all users to the one of the leaf's own module."""
    text = graph.name(name)
    if text.isidentifier():
        return OUTSIDE
    call = common
    while call != OUTSIDE:
        path = graph.modules[int(graph.call_table.module[call - 1])].full_name
        if path and text.startswith(f"{path}."):
            return call
        call = int(tree.parent[call])
    return common


def _without_frames_of_one(tree: CallTree, inside: Rows) -> tuple[CallTree, Rows, Rows]:
    """Take away each call that holds one box and no other call, from the innermost outwards.

    Gives the tree, the call of each box, and for such a box the innermost call that held it alone.
    """
    inside = inside.copy()
    alone = np.full(len(inside), OUTSIDE, np.int64)
    gone = np.zeros(len(tree), np.bool_)
    inner = np.zeros(len(tree), np.int64)
    only = np.full(len(tree), -1, np.int64)
    for depth in range(int(tree.depth.max()), 0, -1):
        boxes = np.bincount(inside, minlength=len(tree))
        only[inside] = np.arange(len(inside))
        calls = np.flatnonzero((tree.depth == depth) & (boxes + inner > 0))
        single = calls[(boxes[calls] == 1) & (inner[calls] == 0)]
        box = only[single]
        alone[box] = np.where(alone[box] == OUTSIDE, single, alone[box])
        inside[box] = tree.parent[single]
        gone[single] = True
        np.add.at(inner, tree.parent[calls[~gone[calls]]], 1)
    return tree.without(gone)[0], inside, alone


def _sizes(graph: Graph) -> Rows:
    """Count the nodes that each call made, those of the calls in it among them."""
    made = np.bincount(graph.node_table.call + 1, minlength=len(graph.call_table.module) + 1)
    return CallTree.of(graph).gathered(made.astype(np.int64), np.add.at)


def _numbered(
    tree: CallTree, inside: Rows, size: Rows, modules: Modules
) -> tuple[tuple[Group, ...], Rows]:
    """Give each call that holds something a number, right before those of all that lie in it."""
    holds = np.bincount(inside, minlength=len(tree)).astype(np.int64)
    calls = np.flatnonzero(tree.gathered(holds, np.add.at)[1:] > 0) + 1
    children: dict[int, list[int]] = {}
    for call in reversed(calls.tolist()):
        children.setdefault(int(tree.parent[call]), []).append(call)
    row = np.full(len(tree), -1, np.int64)
    groups: list[Group] = []
    stack = children.get(OUTSIDE, [])
    while stack:
        call = stack.pop()
        row[call] = len(groups)
        nodes = f"made {size[call]:,} {'node' if size[call] == 1 else 'nodes'}"
        tip = (*modules.tip(call - 1), nodes)
        groups.append(Group(modules.label(call - 1), int(row[tree.parent[call]]), tip))
        stack.extend(children.get(call, ()))
    return tuple(groups), row
