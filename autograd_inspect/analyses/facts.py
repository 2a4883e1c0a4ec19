"""What facts of two nodes were and are, in words and figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd_inspect.analyses.alignment import Alignment
from autograd_inspect.analyses.contrasts import arrived_norms, held_by_node
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.diff import (
    ADDED,
    CHANGED,
    REMOVED,
    Contrast,
    Difference,
    Fact,
    PairTable,
)
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import SavedState


class Writer:
    """Reads what differs in pairs off both graphs."""

    def __init__(self, before: Capture, after: Capture, alignment: Alignment) -> None:
        self._captures = before, after
        self._like = alignment.node
        self._norms = arrived_norms(before), arrived_norms(after)
        self._held = held_by_node(before.graph), held_by_node(after.graph)

    def differences(self, pairs: PairTable) -> Iterator[Difference]:
        """Give what was added, removed or changed."""
        before, after = (capture.graph for capture in self._captures)
        rows = np.flatnonzero((pairs.facts != 0) | (pairs.before < 0) | (pairs.after < 0))
        columns = (column[rows].tolist() for column in (pairs.before, pairs.after, pairs.facts))
        for one, other, facts in zip(*columns, strict=True):
            if one < 0:
                yield Difference(ADDED, None, after.node(other))
            elif other < 0:
                yield Difference(REMOVED, before.node(one), None)
            else:
                here, there = before.node(one), after.node(other)
                found = tuple(self._contrasts(here, there, Fact(facts)))
                yield Difference(CHANGED, here, there, found)

    def _contrasts(self, here: Node, there: Node, facts: Fact) -> Iterator[Contrast]:
        for fact in Fact:
            if fact in facts:
                yield Contrast(fact, *self._values(here, there, fact))

    def _values(self, here: Node, there: Node, fact: Fact) -> tuple[str | float, str | float]:
        """Give what a fact was and what it is."""
        if fact is Fact.GRAD:
            return self._norm(0, here), self._norm(1, there)
        if fact is Fact.SAVED:
            return self._saved(here, there)
        if fact is Fact.INPUTS:
            return self._inputs(here, there)
        if fact is Fact.SCALARS:
            return _scalars(here, there)
        return _READ[fact](here), _READ[fact](there)

    def _norm(self, side: int, node: Node) -> str | float:
        norms, known = self._norms[side]
        if known[node.index]:
            return float(norms[node.index])
        rows = self._captures[side].gradients.table
        found = rows.reason[rows.node == node.index]
        return (Reason(found[0]).text if len(found) else "") or "none"

    def _saved(self, here: Node, there: Node) -> tuple[str | int, str | int]:
        """Give bytes; where these are equal, what tells the saved tensors apart."""
        before, after = (
            int(held[node.index]) for held, node in zip(self._held, (here, there), strict=True)
        )
        packed = _packers(here), _packers(there)
        if before != after and packed[0] == packed[1]:
            return before, after
        if packed[0] != packed[1]:
            return packed[0] or before, packed[1] or after
        return _saved_text(here), _saved_text(there)

    def _inputs(self, here: Node, there: Node) -> tuple[str, str]:
        """Name what the first slot that leads elsewhere led to, and leads to."""
        before = [edge.target for edge in here.edges]
        after = [edge.target for edge in there.edges]
        for one, other in zip(before, after, strict=False):
            like = int(self._like[one.index]) if one else -1
            if like != (other.index if other else -1):
                return _called(one), _called(other)
        return f"{len(before)} inputs", f"{len(after)} inputs"


def _called(node: Node | None) -> str:
    if node is None:
        return "nothing"
    name = node.leaf.name if node.leaf else node.variable
    return name or node.title


def _scalars(here: Node, there: Node) -> tuple[str, str]:
    """Write the scalars that differ."""
    before, after = here.attributes, there.attributes
    names = [name for name in {**before, **after} if before.get(name, ...) != after.get(name, ...)]
    texts = [
        ", ".join(f"{name}={of[name]}" for name in names if name in of) for of in (before, after)
    ]
    return texts[0] or "none", texts[1] or "none"


def _packers(node: Node) -> str:
    """Say who packed what a node saves, empty where any of it was not packed."""
    saved = node.saved
    if not saved or any(one.state is not SavedState.PACKED for one in saved):
        return ""
    names = sorted({one.packer or "a hook" for one in saved})
    return f"packed by {', '.join(names)}"


def _saved_text(node: Node) -> str:
    parts = [
        f"{one.name} {one.spec.shape_text if one.spec else one.state.name.lower()}"
        + (f" by {one.packer}" if one.packer else "")
        for one in node.saved
    ]
    return ", ".join(parts) or "nothing"


def _outputs(node: Node) -> str:
    return ", ".join(str(spec) if spec else "unknown" for spec in node.outputs)


def _module(node: Node) -> str:
    return node.call.module.full_name or node.call.module.name if node.call else ""


def _place(node: Node) -> str:
    return f"{node.place.file}:{node.place.line}" if node.place else ""


_READ = {
    Fact.OP: lambda node: node.op,
    Fact.MODULE: _module,
    Fact.NAME: lambda node: node.leaf.name if node.leaf else "",
    Fact.REQUIRES_GRAD: lambda node: str(bool(node.leaf and node.leaf.requires_grad)),
    Fact.SHAPE: _outputs,
    Fact.TIME: lambda node: node.graph.node_times[node.index].item(),
    Fact.LINE: _place,
}
