"""What lies around a node in its graph: leaves below it, norms it divides by, masks after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Node

#: Operations whose result is a norm, or becomes one.
NORMS = frozenset(["sqrt", "norm", "linalg_vector_norm", "vector_norm", "cdist", "dist",
                   "pairwise_distance", "hypot", "linalg_norm", "matrix_norm",
                   "linalg_matrix_norm", "frobenius_norm", "renorm", "rsqrt"])  # fmt: skip
#: What leads from a divisor to the norm that it is.
_ON_THE_WAY = frozenset(["expand", "clamp", "clamp_min", "add", "unsqueeze", "view", "reshape",
                         "maximum", "t", "transpose", "squeeze", "index", "select", "clone",
                         "mul"])  # fmt: skip
#: Operations after which a value that was not finite is gone.
_MASKS = {
    "nan_to_num": "nan_to_num",
    "nansum": "nan_to_num",
    "where": "where",
    "masked_fill": "masked_fill",
    "index_put": "masked_fill",
    "masked_scatter": "masked_fill",
    "index": "selection",
    "masked_select": "selection",
    "mul": "product",
}
#: Nodes behind one that count as what it was given.
_NEAR = 4


def divides_by_norm(node: Node) -> bool:
    """Tell whether a node divides by a norm."""
    if node.title != "div" or len(node.edges) < 2:
        return False
    ahead = [node.edges[1].target]
    for one in ahead:
        if one is None or len(ahead) > 12:
            continue
        if one.title in NORMS:
            return True
        if one.title in _ON_THE_WAY:
            ahead += [edge.target for edge in one.edges]
    return False


def is_by_norm(capture: Capture, place: Place | None) -> bool:
    """Tell whether a division at a line is one by a norm."""
    return any(node.place == place and divides_by_norm(node) for node in capture.graph.nodes)


def divides_by_constant(captures: Iterable[Capture], place: Place | None) -> bool:
    """Tell a division by what has no graph, as a count has none."""
    return any(
        node.place == place
        and node.title == "div"
        and node.edges[1:]
        and node.edges[1].target is None
        for capture in captures
        for node in capture.graph.nodes
    )


def below(node: Node) -> list[Node]:
    """Give a node and all that a gradient gets to from there."""
    waiting, seen, found = [node], {node.index}, []
    while waiting:
        one = waiting.pop()
        found.append(one)
        for edge in one.edges:
            if edge.target is not None and edge.target.index not in seen:
                seen.add(edge.target.index)
                waiting.append(edge.target)
    return found


def leaves_below(node: Node) -> list[Node]:
    """Give the leaves that a gradient gets to from a node, which may be one itself."""
    return [one for one in below(node) if one.leaf is not None]


def names_below(node: Node) -> tuple[str, ...]:
    """Name the leaves that a gradient gets to from a node, those that have a name."""
    leaves = (one.leaf for one in leaves_below(node))
    return tuple(leaf.name for leaf in leaves if leaf is not None and leaf.name)


def comes_from(node: Node, place: Place) -> bool:
    """Tell whether what a node was given was made at a line, but for a few steps."""
    ahead = [node]
    for one in ahead:
        if one.place == place:
            return True
        if len(ahead) <= _NEAR:
            ahead += [edge.target for edge in one.edges if edge.target is not None]
    return False


def mask_behind(node: Node) -> tuple[str, Node] | None:
    """Find what may leave an element out, between a node and the roots: the nearest such node."""
    givers = _givers(node)
    ahead, seen = [node.index], {node.index}
    product: tuple[str, Node] | None = None
    for index in ahead:
        one = node.graph.node(index)
        what = _MASKS.get(one.title, "") if index != node.index else ""
        if what == "product":
            product = product or (what, one)
        elif what:
            return what, one
        new = [giver for giver in givers(index) if giver not in seen]
        seen.update(new)
        ahead += new
    return product


def _givers(node: Node) -> Callable[[int], Iterator[int]]:
    """Make the function that gives the nodes which send gradients to a node."""
    table = node.graph.edge_table
    source = np.repeat(np.arange(len(node.graph)), np.diff(table.start))
    order = np.argsort(table.target, kind="stable")
    targets = table.target[order]

    def give(index: int) -> Iterator[int]:
        first, last = np.searchsorted(targets, [index, index + 1])
        yield from source[order[first:last]].tolist()

    return give
