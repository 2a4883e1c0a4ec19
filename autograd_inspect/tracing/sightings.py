"""Which tensors get a row in the gradient table, and why each has a gradient or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from autograd_inspect.autograd._torch import is_leaf
from autograd_inspect.autograd.gradients import Sighting
from autograd_inspect.autograd.walker import Walk
from autograd_inspect.model.capture import Backward
from autograd_inspect.model.gradients import Holding, Reason
from autograd_inspect.tracing.names import Named


@dataclass(frozen=True, slots=True)
class Before:
    """A `.grad` as it was before the backward; the tensor is held so that its id stays its own.

    counts  it is not all zero, so what is added to it is not all there is afterwards
    """

    gradient: torch.Tensor
    version: int
    counts: bool


@dataclass(slots=True)
class Arrivals:
    """What a backward delivered.

    inputs    the tensors that gradients were asked for, by id; None where all leaves get theirs
    returned  gradients that were handed back instead of accumulated, by id of the tensor
    retained  gradients of tensors asked for by name: name -> (tensor, gradient)
    before    the `.grad` that tensors had already, by id of the tensor
    held      the tensors that optimizers hold, by id; empty where there is none, or nobody asked
    """

    backward: Backward = Backward.NOT_RUN
    inputs: set[int] | None = None
    returned: dict[int, torch.Tensor | None] | None = None
    retained: dict[str, tuple[torch.Tensor, torch.Tensor | None]] = field(default_factory=dict)
    before: dict[int, Before] = field(default_factory=dict)
    held: frozenset[int] = frozenset()

    def record(
        self, inputs: Sequence[object], result: Sequence[torch.Tensor | None] | None
    ) -> None:
        """Note what the program's own call asked for, and what it was handed back, if anything."""
        self.backward = Backward.SCRIPT
        if inputs:
            self.inputs = {id(one) for one in inputs}
        if result is not None:
            self.returned = {id(one): g for one, g in zip(inputs, result, strict=True)}

    def holding(self, tensor: torch.Tensor) -> Holding:
        """Tell whether an optimizer holds a tensor."""
        if not self.held or not is_leaf(tensor):
            return Holding.UNKNOWN
        return Holding.HELD if id(tensor) in self.held else Holding.NOT_HELD

    def gradient(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Give the gradient there is for a tensor, from whichever backward."""
        if self.returned is not None and id(tensor) in self.returned:
            return self.returned[id(tensor)]
        return stored_gradient(tensor)

    def delivered(self, tensor: torch.Tensor) -> bool:
        """Tell whether the gradient there is came with this backward, or was added to by it.

        Also where the graph does not lead to the tensor: a reentrant checkpoint, or any custom
        Function, may start a backward of its own inside.
        """
        if self.returned is not None:
            return id(tensor) in self.returned
        gradient, before = stored_gradient(tensor), self.before.get(id(tensor))
        if gradient is None or before is None:
            return gradient is not None
        return gradient is not before.gradient or gradient._version != before.version

    def added(self, tensor: torch.Tensor) -> bool:
        """Tell whether this backward added to a gradient that was there and not all zero."""
        before = self.before.get(id(tensor))
        return self.returned is None and before is not None and before.counts


def note_gradients(tensors: Iterable[torch.Tensor]) -> dict[int, Before]:
    """Note the gradients there are before a backward, by id of the tensor."""
    pairs = ((id(tensor), stored_gradient(tensor)) for tensor in tensors)
    return {
        key: Before(gradient, gradient._version, _is_not_zero(gradient))
        for key, gradient in dict(pairs).items()
        if gradient is not None
    }


def stored_gradient(tensor: torch.Tensor) -> torch.Tensor | None:
    """Read `.grad` without the warning that reading it off a non-leaf gives."""
    try:
        return tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    except RuntimeError:  # a view of what was overwritten may not tell any more
        return None


def _is_not_zero(gradient: torch.Tensor) -> bool:
    values = gradient.coalesce().values() if gradient.layout is torch.sparse_coo else gradient
    return bool(values.count_nonzero()) if values.layout is torch.strided else True


def sightings(walked: Walk, named: Named, arrivals: Arrivals) -> Iterator[Sighting]:
    """List the rows: tensors asked for, leaves of the graph, then what the graph does not reach."""
    listed: set[int] = set()
    for name, (tensor, gradient) in arrivals.retained.items():
        listed.add(id(tensor))
        reason = Reason.ARRIVED if gradient is not None else _silence(arrivals)
        yield Sighting(name, walked.node_of(tensor), tensor, gradient, reason)
    leaf_nodes = walked.graph.leaf_table.node.tolist()
    for node, leaf in zip(leaf_nodes, walked.leaves, strict=True):
        listed.add(id(leaf))
        name = named.by_id.get(id(leaf), f"leaf {node}")
        yield _sighting(name, node, leaf, arrivals)
    others: Mapping[str, torch.Tensor] = {**named.parameters, **named.variables}
    for name, tensor in others.items():
        if id(tensor) not in listed and _is_of_interest(walked, tensor):
            listed.add(id(tensor))
            yield _sighting(name, walked.node_of(tensor), tensor, arrivals)


def _sighting(name: str, node: int, tensor: torch.Tensor, arrivals: Arrivals) -> Sighting:
    gradient = arrivals.gradient(tensor)
    reason = _reason(tensor, node, gradient, arrivals)
    added = reason is Reason.ARRIVED and arrivals.added(tensor)
    return Sighting(name, node, tensor, gradient, reason, added, arrivals.holding(tensor))


def _reason(
    tensor: torch.Tensor, node: int, gradient: torch.Tensor | None, arrivals: Arrivals
) -> Reason:
    was_asked = arrivals.inputs is None or id(tensor) in arrivals.inputs
    if gradient is not None:
        return Reason.ARRIVED if arrivals.delivered(tensor) else Reason.LEFT_BY_EARLIER
    if not tensor.requires_grad:
        return Reason.REQUIRES_NO_GRAD
    if not is_leaf(tensor) and not (was_asked and arrivals.inputs is not None):
        return Reason.NOT_A_LEAF
    if node < 0:
        return Reason.NOT_REACHED
    if not was_asked:
        return Reason.NOT_AMONG_INPUTS
    return _silence(arrivals)


def _silence(arrivals: Arrivals) -> Reason:
    """Say why a tensor that the graph reaches has no gradient."""
    return {
        Backward.FAILED: Reason.BACKWARD_FAILED,
        Backward.NOT_RUN: Reason.BACKWARD_NOT_RUN,
    }.get(arrivals.backward, Reason.NOTHING_FLOWED)


def _is_of_interest(walked: Walk, tensor: torch.Tensor) -> bool:
    """Keep parameters and tensors meant to learn, not every batch that a variable holds."""
    if isinstance(tensor, torch.nn.Parameter):
        return True
    if is_leaf(tensor):
        return tensor.requires_grad
    # A root has no gradient to speak of; an intermediate counts if this graph made it.
    node = walked.node_of(tensor)
    return node >= 0 and node not in walked.graph.root_table.node
