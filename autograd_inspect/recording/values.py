"""Where values first became NaN or infinite on their way through the forward, in or out of a graph.

Looked up once a backward has met such a value: what a graph saved of it may have been made far from
any graph, as a mask, a target or a normalised input is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from autograd_inspect.autograd.details import dense
from autograd_inspect.recording.lineage import Tensors
from autograd_inspect.recording.sites import Spot

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
        for tensor in outputs:
            if not tensor.is_floating_point() or tensor.device.type != "cpu":
                continue  # elsewhere looking at values would make the program wait for them
            address = tensor.untyped_storage()._cdata
            if _is_finite(tensor):
                if self.born:
                    self.born.pop(address, None)
            elif address not in self.born and len(self.born) < _MOST:
                self.born[address] = self._before(inputs) or born()

    def _before(self, inputs: Tensors) -> Born | None:
        found = (self.born.get(one.untyped_storage()._cdata) for one in inputs)
        return next(filter(None, found), None)


def _is_finite(tensor: torch.Tensor) -> bool:
    """Tell so by the sum, which is quick; a sum may overflow, so it has to be confirmed."""
    with torch._C.DisableTorchFunction(), torch.no_grad():
        values = dense(tensor.detach())
        return bool(torch.isfinite(values.sum())) or bool(torch.isfinite(values).all())
