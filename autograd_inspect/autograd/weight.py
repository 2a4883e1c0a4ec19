"""How much a graph is: its nodes, its leaves, and the bytes it holds, without any table of them.

For graphs that are looked at one after the other while a program trains, where `walk` would cost
too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from autograd_inspect.autograd._torch import SHOWS_SAVED_TENSORS, GraphNode
from autograd_inspect.autograd.details import NodeClass, Specs, describe_class
from autograd_inspect.autograd.saved import SavedReader
from autograd_inspect.autograd.structure import (
    Structure,
    collector_paused,
    release_safely,
    walk_structure,
)
from autograd_inspect.autograd.walker import by_class
from autograd_inspect.model.tables import Kind

#: Classes remembered at most: a program may make Functions as it runs.
_CLASSES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Weight:
    """What a graph amounts to; holds it alive, so `release` it as soon as it is read.

    inner   its nodes without those that accumulate into a leaf
    leaves  the tensors that it accumulates into
    saved   bytes that it holds for backward, each storage once; -1 where torch does not show them
    """

    structure: Structure
    inner: list[GraphNode]
    leaves: list[torch.Tensor]
    saved: int

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.structure.nodes)

    def release(self) -> None:
        """Let go of the graph."""
        release_safely(self.structure)


class Scales:
    """Weighs graphs, and remembers what it learned of the classes of their nodes."""

    def __init__(self) -> None:
        self._known: dict[type, NodeClass] = {}

    def weigh(self, roots: Iterable[GraphNode]) -> Weight:
        """Weigh the graph of these nodes, on the thread that is about to run its backward."""
        with collector_paused():
            structure = walk_structure(roots)
            reader = SavedReader(Specs(), structure.index)
            inner: list[GraphNode] = []
            leaves: list[torch.Tensor] = []
            for rows in by_class(structure.nodes):
                numbers = rows.tolist()
                alike = [structure.nodes[number] for number in numbers]
                cls = self._describe(alike[0])
                if cls.kind is Kind.LEAF:
                    leaves += [node.variable for node in alike]
                    continue
                inner += alike
                if SHOWS_SAVED_TENSORS:
                    reader.read(numbers, alike, cls)
        saved = reader.held() if SHOWS_SAVED_TENSORS else -1
        return Weight(structure, inner, leaves, saved)

    def _describe(self, node: GraphNode) -> NodeClass:
        if type(node).__name__ == "CppFunction":  # many operations share this class
            return describe_class(node)
        known = self._known.get(type(node))
        if known is None:
            if len(self._known) >= _CLASSES:
                self._known.clear()
            known = self._known[type(node)] = describe_class(node)
        return known
