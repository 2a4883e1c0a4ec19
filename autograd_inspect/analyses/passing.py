"""The gradients that passed through the nodes, in the order that backward ran them."""

from __future__ import annotations

import math
from collections.abc import Callable

from autograd_inspect.analyses.words import check_node_key
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.rows import Node

_KEYS: dict[str, Callable[[Node], float]] = {
    "norm": lambda node: node.gradient.norm if node.gradient else math.nan,
    "max": lambda node: node.gradient.max if node.gradient else math.nan,
    "zeros": lambda node: node.gradient.zero_share if node.gradient else math.nan,
    "nan": lambda node: node.gradient.nan if node.gradient else math.nan,
    "inf": lambda node: node.gradient.inf if node.gradient else math.nan,
    "count": lambda node: node.gradient.count if node.gradient else math.nan,
    "time": lambda node: node.spent,
}


def passed_nodes(
    capture: Capture, *, sort: str | None = None, top: int | None = None
) -> list[Node]:
    """Give the first `top` nodes that backward ran, in its order or by a figure, largest first.

    `+` before the key turns the order round. What is not known comes last. Raises UsageError for a
    key that is none, and where nothing was measured at the nodes.
    """
    if sort is not None:
        check_node_key(sort)
    ran = sorted((node for node in capture.graph.nodes if node.turn >= 0), key=lambda n: n.turn)
    if not ran:
        raise UsageError(
            f"this capture has nothing of what passed through the nodes (--probe "
            f"{capture.about.probe.value})",
            hint=f"agi grads --nodes --probe nodes {capture.about.source} takes one that has",
        )
    if sort is not None:
        rising = sort.startswith("+")
        of = _KEYS[sort.lstrip("+-")]

        def place(node: Node) -> tuple[bool, float]:
            value = of(node)
            return math.isnan(value), value if rising else -value

        ran.sort(key=place)
    return ran if top is None else ran[:top]
