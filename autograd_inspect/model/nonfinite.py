"""The node where gradients stopped being finite, and what explains it."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.model.places import Place
from autograd_inspect.model.probes import Birth, Operand
from autograd_inspect.model.rows import Node


@dataclass(frozen=True, slots=True)
class NonFinite:
    """The first node that sent on a gradient which is NaN or infinite.

    operands  those that stand out, or all where none does
    formula   what its backward computes, empty where that is not told
    source    the node whose forward gave a value that was not finite already
    """

    node: Node
    birth: Birth
    operands: tuple[Operand, ...]
    formula: str
    source: Node | None

    @property
    def place(self) -> Place | None:
        """The line to look at: where such a value first came up, in forward or in backward."""
        graph = self.node.graph
        return graph.place_of(self.birth.made) or (self.source or self.node).place
