"""Finding the tensor that a user means by a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Ints

#: Of tensors that go by one name, so many are told.
_FEW = 5
#: Names further on are not compared with one that nobody knows.
_COMPARED = 20_000


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the program.

    name    as the capture has it, or `#12` where it was asked for by number
    node    its node, -1 where the graph does not reach it
    reason  why the graph does not
    names   all names it goes by, where it is a leaf
    """

    name: str
    node: int
    reason: Reason
    names: tuple[str, ...]


def find_tensor(capture: Capture, text: str) -> Tensor:
    """Find a tensor by its name, by the end of its name, or by its node's number (`#12`).

    Leaves, roots and tensors with a gradient of their own go before the variables that nodes were
    bound to, and whole names before ends of names. Raises UsageError where there is none, or more
    than one.
    """
    number = text.removeprefix("#")
    if text.startswith("#") and number.isdecimal():
        return _by_number(capture.graph, int(number))
    kinds = [_tensors(capture), _variables(capture.graph)]
    for names in kinds:
        if text in names:
            return _only(capture, text, {text: names[text]})
    if number.isdecimal():
        return _by_number(capture.graph, int(number))
    for names in kinds:
        ends = {name: nodes for name, nodes in names.items() if name.endswith(f".{text}")}
        if ends:
            return _only(capture, text, ends)
    raise _unknown(text, [name for names in kinds for name in names])


def find_nodes(capture: Capture, text: str) -> Ints:
    """Find the nodes that the calls of a module made, by its path, else that of a tensor.

    Raises UsageError where there is none, or where the graph does not reach the tensor.
    """
    graph = capture.graph
    named = [text in {module.path, module.full_name} - {""} for module in graph.modules]
    if any(named):
        inside: list[bool] = []
        calls = zip(graph.call_table.module.tolist(), graph.call_table.parent.tolist(), strict=True)
        for module, parent in calls:
            inside.append(named[module] or (parent >= 0 and inside[parent]))
        made = np.array([*inside, False], np.bool_)[graph.node_table.call]
        return np.flatnonzero(made).astype(np.int32)
    tensor = find_tensor(capture, text)
    if tensor.node < 0:
        raise UsageError(f"{text}: the graph does not reach it", hint=f"agi path {text} says why")
    return np.array([tensor.node], np.int32)


#: By name, the nodes that go by it: -1 for what the graph does not reach.
_Names = dict[str, dict[int, None]]


def _tensors(capture: Capture) -> _Names:
    """Name what has a name of its own: leaves, roots, rows of the gradient table."""
    graph, table = capture.graph, capture.gradients.table
    names: _Names = {}
    for leaf in graph.leaves:
        for name in filter(None, (leaf.name, *leaf.aliases)):
            names.setdefault(name, {})[leaf.node.index] = None
    for root in graph.roots:
        if root.name:
            names.setdefault(root.name, {})[root.node.index] = None
    rows = zip(table.name.tolist(), table.node.tolist(), strict=True)
    for row, node in rows:
        nodes = names.setdefault(capture.gradients.names[row], {})
        if node >= 0 or not nodes:
            nodes[node] = None
    return names


def _variables(graph: Graph) -> _Names:
    """Name nodes by the variables that their outputs were bound to: `a, b` is two of them."""
    names: _Names = {}
    column = graph.node_table.variable
    for node in np.flatnonzero(column >= 0).tolist():
        for name in graph.name(int(column[node])).split(", "):
            names.setdefault(name, {})[node] = None
    return names


def _only(capture: Capture, text: str, found: _Names) -> Tensor:
    """Give the one tensor found; raises UsageError where several are."""
    nodes = dict.fromkeys(node for nodes in found.values() for node in nodes)
    if len(nodes) > 1 or (-1 in nodes and len(found) > 1):
        raise UsageError(
            f"{text}: {len(nodes) if -1 not in nodes else len(found):,} tensors go by this name: "
            f"{_some(_called(capture.graph, found))}",
            hint="give the whole name, or the number of its node: agi path '#12'",
        )
    (node,) = nodes
    name = next(iter(found))
    return Tensor(name, node, _reason(capture, name, node), _names(capture.graph, node) or (name,))


def _called(graph: Graph, found: _Names) -> Iterator[str]:
    """Write what was found so that it can be told apart."""
    for name, nodes in found.items():
        for node in nodes:
            alone = len(found) > 1 and len(nodes) == 1
            yield name if alone or node < 0 else _node(graph.node(node))


def _node(node: Node) -> str:
    origin = [node.call.module.name if node.call else "", node.place.short if node.place else ""]
    known = ", ".join(filter(None, origin))
    return f"#{node.index} {node.title}" + (f" ({known})" if known else "")


def _by_number(graph: Graph, number: int) -> Tensor:
    if number >= len(graph):
        raise UsageError(
            f"#{number}: there is no such node", hint=f"the last of the graph is #{len(graph) - 1}"
        )
    return Tensor(f"#{number}", number, Reason.ARRIVED, _names(graph, number))


def _names(graph: Graph, node: int) -> tuple[str, ...]:
    """Give all names of a leaf."""
    leaf = graph.leaf_at.get(node)
    return tuple(filter(None, (leaf.name, *leaf.aliases))) if leaf else ()


def _reason(capture: Capture, name: str, node: int) -> Reason:
    """Say why a tensor is not in the graph."""
    if node >= 0:
        return Reason.ARRIVED
    row = capture.gradients.names.index(name)
    at = int(np.flatnonzero(capture.gradients.table.name == row)[0])
    return Reason(capture.gradients.table.reason[at])


def _unknown(text: str, names: list[str]) -> UsageError:
    near = difflib.get_close_matches(text, names[:_COMPARED], n=3)
    if not near:
        last = {name.rpartition(".")[2]: name for name in reversed(names[:_COMPARED])}
        near = [last[end] for end in difflib.get_close_matches(text, last, n=3)]
    meant = f"did you mean {' or '.join(near)}?" if near else "agi grads lists the leaves"
    return UsageError(f"{text}: no tensor of the capture goes by this name", hint=meant)


def _some(texts: Iterable[str]) -> str:
    every = list(texts)
    if len(every) <= _FEW:
        return ", ".join(every)
    return f"{', '.join(every[:_FEW])} and {len(every) - _FEW:,} more"
