"""Large tensors saved for backward that only repeat smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from autograd_inspect.checks.reading import name_of
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Spec

#: Operations that write the same values several times.
_REPEATING = {"repeat", "expand", "repeat_interleave", "tile"}
#: Operations that do so where they are given one tensor several times.
_JOINING = {"stack", "cat"}
#: How many times as large the result is, how much of all that is saved it makes up, and bytes.
_TIMES, _SHARE, _BYTES = 16, 0.5, 2**20


def redundant_saved_tensor(facts: Facts) -> Iterator[Finding]:
    """Find a repeated tensor whose size most of what is saved for backward has."""
    for capture in facts.captures:
        graph = capture.graph
        total = _bytes_saved(graph, 0)
        for node in graph.nodes:
            times = _times(node)
            if times < _TIMES or not _repeats(node):
                continue
            numel = _numel(node.outputs[0])
            if _meets_data(node, numel):
                continue
            held = _bytes_saved(graph, numel)
            if held >= max(_BYTES, _SHARE * total):
                small = name_of(node.edges[0].target) if node.edges[0].target else "its input"
                yield Finding(
                    message=f"{node.title} writes {small} {times} times, and what is computed of "
                    f"that is saved for backward: {held / 2**20:.1f} of {total / 2**20:.1f} MiB",
                    evidence=(
                        f"{node.outputs[0]} from {node.edges[0].target.outputs[0]}"
                        if node.edges[0].target
                        else f"{node.outputs[0]}",
                    ),
                    repair="choose the elements under torch.no_grad() and gather them from the "
                    "small tensor, or let broadcasting do without the copy",
                    place=node.place,
                    tensors=(name_of(node),),
                    marked=node.title,
                )


def _meets_data(node: Node, numel: int) -> bool:
    """Tell whether what is repeated goes to a tensor of that size which repeats nothing."""
    others = (
        edge.target
        for user in node.graph.nodes
        if any(edge.target is not None and edge.target.index == node.index for edge in user.edges)
        for edge in user.edges
        if edge.target is not None and edge.target.index != node.index
    )
    return any(_is_data(other, numel) for other in others)


def _is_data(node: Node, numel: int) -> bool:
    """Tell whether a node gives so many elements, and not out of what was repeated just before."""
    while node.title not in _REPEATING:
        if not node.outputs or _numel(node.outputs[0]) < numel:
            return False
        targets = [edge.target for edge in node.edges if edge.target is not None]
        if len(targets) != 1:
            return True
        node = targets[0]
    return False


def _repeats(node: Node) -> bool:
    """Tell whether an operation writes what it is given several times."""
    if node.title in _JOINING:
        return len({(edge.target.index, edge.output) for edge in node.edges if edge.target}) == 1
    return node.title in _REPEATING


def _times(node: Node) -> int:
    """Tell how many times as large the result of an operation is as what it was given."""
    target = node.edges[0].target if node.edges else None
    if target is None or not node.outputs:
        return 0
    output = node.edges[0].output
    given = target.outputs[output] if output < len(target.outputs) else None
    return _numel(node.outputs[0]) // max(_numel(given), 1) if given is not None else 0


def _bytes_saved(graph: Graph, numel: int) -> int:
    """Sum up the bytes saved in tensors of at least so many elements, each storage once."""
    table = graph.saved_table
    sizes = [_numel(spec) for spec in graph.specs]
    rows = zip(table.spec.tolist(), table.storage.tolist(), table.bytes.tolist(), strict=True)
    held = {
        storage: size
        for spec, storage, size in rows
        if spec >= 0 and storage >= 0 and sizes[spec] >= numel
    }
    return sum(held.values())


def _numel(spec: Spec | None) -> int:
    return prod(size for size in spec.shape if isinstance(size, int)) if spec is not None else 0


RULES = (
    Rule(
        "redundant_saved_tensor",
        Severity.WARNING,
        "A large tensor that only repeats a small one is saved for backward",
        redundant_saved_tensor,
    ),
)
