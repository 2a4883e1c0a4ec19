"""Where values first became NaN or infinite on their way through the forward, in or out of a graph.

Looked up once a backward has met such a value: what a graph saved of it may have been made far from
any graph, as a mask, a target or a normalised input is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from autograd_inspect.autograd.details import dense
from autograd_inspect.recording.lineage import Tensors
from autograd_inspect.recording.sites import Spot

#: Other classes may run code of the program's when they are looked at.
_PLAIN = {torch.Tensor, torch.nn.Parameter}
#: Storages remembered; a program whose values are all NaN would go on for ever.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Born:
    """An operation that first gave a value that is not finite."""

    op: str
    spot: Spot


@dataclass(slots=True)
class Values:
    """Per storage, by its address, where what is in it first was not finite.

    An address may be used again: whatever is written there next is noted anew.
    """

    born: dict[int, Born] = field(default_factory=dict)

    def note(self, outputs: Tensors, inputs: Tensors, born: Callable[[], Born]) -> None:
        """Look at what came out of an operation, which may pass on what went in."""
        if torch._C._len_torch_dispatch_stack():
            return  # a mode of the program's would see what we compute
        for tensor in outputs:
            # A view has no values of its own; elsewhere the program would have to wait for them.
            if type(tensor) not in _PLAIN or tensor._is_view() or not tensor.is_cpu:
                continue
            if not tensor.is_floating_point():
                continue
            finite = _is_finite(tensor)
            if finite and not self.born:
                continue
            address = tensor.untyped_storage()._cdata
            if finite:
                self.born.pop(address, None)
            elif address not in self.born and len(self.born) < _MOST:
                self.born[address] = self._before(inputs) or born()

    def _before(self, inputs: Tensors) -> Born | None:
        found = (self.born.get(one.untyped_storage()._cdata) for one in inputs)
        return next(filter(None, found), None)


def _is_finite(tensor: torch.Tensor) -> bool:
    """Tell so by the sum, which is quick; a sum may overflow, so it has to be confirmed."""
    values = tensor.detach()
    if values.layout is not torch.strided:
        values = dense(values)
    return math.isfinite(values.sum().item()) or bool(torch.isfinite(values).all())
