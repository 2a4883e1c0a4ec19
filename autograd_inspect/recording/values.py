"""Where values first became NaN or infinite on their way through the forward, in or out of a graph.

Looked up once a backward has met such a value: what a graph saved of it may have been made far from
any graph, as a mask, a target or a normalised input is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from autograd_inspect.autograd._torch import stands_for_another
from autograd_inspect.autograd.births import first_index, operand_at, written
from autograd_inspect.autograd.details import dense
from autograd_inspect.model.probes import Operand
from autograd_inspect.recording.lineage import Tensors
from autograd_inspect.recording.sites import Spot

#: Other classes may run code of the program's when they are looked at.
_PLAIN = {torch.Tensor, torch.nn.Parameter}
#: Storages remembered; a program whose values are all NaN would go on for ever.
_MOST = 10_000


#: What the tensors that an operation was given are called, in their order.
_GIVEN = ("self", "other", "third", "fourth")


@dataclass(frozen=True, slots=True)
class Born:
    """An operation that first gave a value that is not finite.

    value  the first such element, as text: `nan`, `inf`, `-inf`
    given  what the operation was given, at that element
    cause  where the infinite values came from that this operation made NaN of
    """

    op: str
    spot: Spot
    value: str = ""
    given: tuple[Operand, ...] = ()
    cause: Born | None = None

    @property
    def first(self) -> Born:
        """Where such a value first came up."""
        return self if self.cause is None else self.cause.first


@dataclass(slots=True)
class Values:
    """Per storage, by its address, where what is in it first was not finite.

    An address may be used again: whatever is written there next is noted anew.

    seen  all operations that gave such a value first, also where it is long overwritten
    """

    born: dict[int, Born] = field(default_factory=dict)
    seen: dict[tuple[str, Spot], Born] = field(default_factory=dict)

    def note(self, outputs: Tensors, inputs: Tensors, born: Callable[[], Born]) -> None:
        """Look at what came out of an operation, which may pass on what went in."""
        if torch._C._len_torch_dispatch_stack():
            return  # a mode of the program's would see what we compute
        for tensor in outputs:
            # Elsewhere than in the processor's memory the program would have to wait for them.
            if type(tensor) not in _PLAIN or not tensor.is_cpu or _is_view_of(tensor, inputs):
                continue
            if not tensor.is_floating_point():
                continue
            finite = _is_finite(tensor)
            if finite and not self.born:
                continue
            address = tensor.untyped_storage()._cdata
            if finite:
                self.born.pop(address, None)
            elif len(self.born) < _MOST:
                known = self._before(inputs)
                now = self.born[address] = _followed(known, tensor, inputs, born)
                if now is not known:
                    self.seen[now.op, now.spot] = now

    def behind(self, tensor: torch.Tensor) -> Born | None:
        """Tell where what is in a tensor was first not finite."""
        if not self.born or type(tensor) not in _PLAIN or stands_for_another(tensor):
            return None
        return self.born.get(tensor.untyped_storage()._cdata)

    def _before(self, inputs: Tensors) -> Born | None:
        """Tell of what went in; what is finite now was mended, or has the address anew."""
        behind = [(self.behind(one), one) for one in inputs]
        found = [born for born, one in behind if born is not None and not _is_finite(one)]
        return next((one for one in found if one.value == "nan"), next(iter(found), None))


def _followed(
    known: Born | None, tensor: torch.Tensor, inputs: Tensors, born: Callable[[], Born]
) -> Born:
    """Pass on what was born before, unless this is what first made NaN of infinite values."""
    values = tensor.detach()
    odd = torch.isnan(values)
    if known is not None and (known.value == "nan" or not bool(odd.any())):
        return known
    index = first_index(odd if bool(odd.any()) else torch.isinf(values))
    given = tuple(
        operand_at(name, one.detach(), index)
        for name, one in zip(_GIVEN, inputs, strict=False)
        if type(one) in _PLAIN and one.layout is torch.strided
    )
    return replace(born(), value=written(values[index]), given=given, cause=known)


def _is_view_of(tensor: torch.Tensor, inputs: Tensors) -> bool:
    """Tell a view of what went in, which has no values of its own."""
    if not tensor._is_view():
        return False
    address = tensor.untyped_storage()._cdata
    return any(type(one) not in _PLAIN or one.untyped_storage()._cdata == address for one in inputs)


def _is_finite(tensor: torch.Tensor) -> bool:
    """Tell so by the sum, which is quick; a sum may overflow, so it has to be confirmed."""
    values = tensor.detach()
    if values.layout is not torch.strided:
        values = dense(values)
    return math.isfinite(values.sum().item()) or bool(torch.isfinite(values).all())
