"""Targets that a network makes of its own later prediction, and that carry gradient."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.around import below, leaves_below
from autograd_inspect.checks.reading import related
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding
from autograd_inspect.model.rows import Node

_COMPARING = frozenset(["sub", "rsub", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
_RESHAPING = frozenset(["view", "reshape", "unsafe_view", "squeeze", "unsqueeze", "flatten", "t",
                        "expand", "to_copy", "clone", "select", "slice"])  # fmt: skip


def own_targets(facts: Facts) -> Iterator[Finding]:
    """Find `reward + discount * value(next)` compared with `value(now)` of the same network."""
    for capture in facts.captures:
        for node in capture.graph.nodes:
            target = _bootstrap_of(node)
            if target is not None:
                yield Finding(
                    message="the target is made of the network's own prediction and carries "
                    "gradient: the loss also pulls the target towards the prediction",
                    evidence=(
                        (
                            f"it is compared at {node.place} with what the same parameters "
                            "predict for other inputs"
                        ),
                    ),
                    repair="compute the target under torch.no_grad(), or detach() it",
                    place=target.place,
                    tensors=_names(target),
                    related=related(
                        (node.place, "it is compared with the prediction here"),
                        (capture.about.place, "backward was called here"),
                    ),
                )
                break


def _bootstrap_of(node: Node) -> Node | None:
    """Give what makes a target, of two predictions of one network that are compared."""
    ends = [edge.target for edge in node.edges if edge.target is not None]
    if node.title not in _COMPARING or len(ends) != 2:
        return None
    for one, other in (ends, ends[::-1]):
        later = _discounted(one)
        if later is not None and _are_two_calls(later, other):
            return one
    return None


def _discounted(node: Node) -> Node | None:
    """Give the prediction that data is added to once it is multiplied by data."""
    added = _past_reshaping(node)
    if added is None or added.title != "add":
        return None
    factor = _past_reshaping(_only(added))
    later = factor
    while later is not None and later.title == "mul":
        later = _past_reshaping(_only(later))
    return later if later is not factor else None


def _only(node: Node) -> Node | None:
    """Give what an operation with one tensor that carries gradient takes."""
    targets = [edge.target for edge in node.edges if edge.target is not None]
    return targets[0] if len(targets) == 1 and len(node.edges) > 1 else None


def _past_reshaping(node: Node | None) -> Node | None:
    while node is not None and node.title in _RESHAPING and node.edges:
        node = node.edges[0].target
    return node


def _are_two_calls(one: Node, other: Node) -> bool:
    """Tell two results of the same parameters that have no operation in common."""
    (inner, leaves), (others, other_leaves) = _parted(one), _parted(other)
    return bool(leaves) and leaves == other_leaves and inner.isdisjoint(others)


def _parted(node: Node) -> tuple[set[int], set[int]]:
    """Give the operations behind a result and its leaves."""
    inner = {one.index for one in below(node) if one.leaf is None}
    return inner, {one.index for one in leaves_below(node)}


def _names(node: Node) -> tuple[str, ...]:
    leaves = (one.leaf for one in sorted(leaves_below(node), key=lambda one: one.index))
    return tuple(leaf.name for leaf in leaves if leaf is not None and leaf.name)
