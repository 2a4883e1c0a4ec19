"""The ctx of custom Functions: what they keep as attributes, and how long."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd_inspect.autograd._torch import GraphNode
from autograd_inspect.autograd.details import spec_of
from autograd_inspect.model.facts import ContextTensor
from autograd_inspect.model.tables import Spec
from autograd_inspect.tracing.expression import tensors_in

#: Contexts that are followed.
_MOST = 5000


@dataclass(slots=True)
class Contexts:
    """Follows the ctx of each custom Function that backward went through, as long as it lives."""

    _known: list[tuple[weakref.ref[Any], str, int]] = field(default_factory=list)

    def note(self, nodes: Sequence[GraphNode], call: int) -> None:
        """Remember those of one graph, by the number of its backward call."""
        for node in nodes:
            function = getattr(type(node), "_forward_cls", None)
            if function is None or function.__module__.startswith("torch."):
                continue
            if len(self._known) < _MOST:
                self._known.append((weakref.ref(node), function.__name__, call))

    def left(self) -> tuple[ContextTensor, ...]:
        """List the tensors on those that are still alive."""
        calls: dict[tuple[str, str], set[int]] = {}
        specs: dict[tuple[str, str], Spec] = {}
        in_graph: set[tuple[str, str]] = set()
        for node, function, call in self._living():
            for name, value in list(vars(node).items()):
                tensors = list(tensors_in(value).values())
                if any(tensor.requires_grad for tensor in tensors):
                    in_graph.add((function, name))
                for tensor in tensors[:1]:
                    specs[function, name] = spec_of(tensor)
                    calls.setdefault((function, name), set()).add(call)
        return tuple(
            ContextTensor(*key, specs[key], len(alive), key in in_graph)
            for key, alive in calls.items()
        )

    def _living(self) -> Iterator[tuple[GraphNode, str, int]]:
        found = ((node(), function, call) for node, function, call in self._known)
        return ((node, *rest) for node, *rest in found if node is not None)
