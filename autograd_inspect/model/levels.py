"""How closely a backward can be watched.

Apart from what is then measured, and without numpy, which is the program's to import first.
"""

from __future__ import annotations

from enum import Enum


class Probe(str, Enum):
    """How closely a captured backward is watched; each level includes those before it."""

    NONE = "none"
    LEAVES = "leaves"
    TIMES = "times"
    NORMS = "norms"
    NODES = "nodes"

    @property
    def at_nodes(self) -> bool:
        """Whether something is measured at every node."""
        return self not in {Probe.NONE, Probe.LEAVES}

    @property
    def of_gradients(self) -> bool:
        """Whether the gradients that flow between nodes are measured."""
        return self in {Probe.NORMS, Probe.NODES}

    @property
    def text(self) -> str:
        """What it measures, in words."""
        return _TEXTS[self]


_TEXTS = {
    Probe.NONE: "nothing",
    Probe.LEAVES: "gradients of the leaves",
    Probe.TIMES: "gradients of the leaves, time per node",
    Probe.NORMS: "gradients of the leaves, time per node, norms at every node",
    Probe.NODES: "gradients and time at every node",
}
