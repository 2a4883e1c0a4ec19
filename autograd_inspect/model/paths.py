"""The paths that a value takes from a tensor to the root, and that its gradient comes back on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import Cut
from autograd_inspect.model.rows import Node, Root
from autograd_inspect.model.tables import Ints, Longs

#: Larger numbers of paths are not written out.
_WRITTEN_OUT = 10**15


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Nodes that follow each other from a tensor to a root, and what lies between them.

    node     their numbers, the tensor's own first
    ways     per node, how many paths lead from it to the next one; from the last one to the roots
    between  per node, how many nodes those paths run through

    Where one edge leads to the next node that is 1 way through 0 nodes; two edges are 2 ways. At a
    root that the last node is itself, it is 1 way through 0 nodes.
    """

    node: Ints
    ways: tuple[int, ...]
    between: Longs

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.node)


@dataclass(frozen=True, eq=False)
class Paths:
    """All paths from a tensor to the roots of a graph.

    A path is a sequence of edges: the gradient of a tensor is a sum over its paths, and two edges
    between the same two nodes add two terms to it.

    name      what the tensor is called
    index     its node, -1 where no path leads to a root
    reason    why none does, empty where one does
    count     how many paths there are, exactly
    shortest  nodes on the shortest path, both ends included
    longest   nodes on the longest path
    nodes     nodes that are on some path
    roots     the roots that paths lead to
    every     each path in full, those along the same nodes as one; empty where there are too many
    trunk     the nodes that all paths run through
    direct    the shortest path
    norms     by node, the 2-norm of the gradient that arrived there, where it is known
    cuts      places where the tensor's values lost their graph, as far as they were recorded
    """

    capture: Capture
    name: str
    index: int = -1
    reason: str = ""
    count: int = 0
    shortest: int = 0
    longest: int = 0
    nodes: int = 0
    roots: tuple[Root, ...] = ()
    every: tuple[Way, ...] = ()
    trunk: Way | None = None
    direct: Way | None = None
    norms: Mapping[int, float] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()

    def __repr__(self) -> str:
        return f"<Paths of {self.name}: {readable(self.count)}>"

    @property
    def node(self) -> Node | None:
        """The tensor's node, None where no path leads to a root."""
        return self.capture.graph.node(self.index) if self.index >= 0 else None


def readable(number: int) -> str:
    """Write a whole number of any size: `1,024`, `2^10000`, `1.27e+3010`."""
    if number < _WRITTEN_OUT:
        return f"{number:,}"
    if not number & (number - 1):
        return f"2^{number.bit_length() - 1}"
    exponent = math.floor(logarithm(number))
    leading = f"{10 ** (logarithm(number) - exponent):.2f}"
    return f"{leading}e+{exponent}" if leading != "10.00" else f"1.00e+{exponent + 1}"


def logarithm(number: int) -> float:
    """Give the logarithm to base 10 of a positive whole number too large for a float."""
    beyond = max(number.bit_length() - 64, 0)
    return math.log10(number >> beyond) + beyond * math.log10(2)
