"""Which line last wrote in place to each storage."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from autograd_inspect.autograd._torch import next_sequence
from autograd_inspect.recording.sites import Spot

#: Storages remembered, those that have gone included.
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Written:
    """An in-place write: what was called, where, and the version that it left.

    `sequence` is the number of the next node then; `hidden` says that it was made through `.data`,
    whose version nobody else sees. `storage` is weak, and keeps the address from being used again
    while this is remembered.
    """

    op: str
    spot: Spot
    version: int
    storage: StorageWeakRef
    sequence: int = -1
    hidden: bool = False


@dataclass(slots=True)
class Writes:
    """The last in-place write to each storage, by the storage's address."""

    last: dict[int, Written] = field(default_factory=dict)
    _detached: dict[int, weakref.ref[torch.Tensor]] = field(default_factory=dict)

    def detached(self, tensor: torch.Tensor) -> None:
        """Remember what `.data` has given."""
        if len(self._detached) > _MOST:
            self._detached.clear()
        self._detached[id(tensor)] = weakref.ref(tensor)

    def _is_detached(self, tensor: torch.Tensor) -> bool:
        base = tensor._base if tensor._is_view() else tensor
        known = self._detached.get(id(base))
        return known is not None and known() is base

    def knows(self, tensor: torch.Tensor) -> bool:
        """Tell whether the last write to a tensor was noted."""
        last = self.last.get(tensor.untyped_storage()._cdata)
        return last is not None and last.version == tensor._version

    def note(self, tensor: torch.Tensor, op: str, spot: Spot, *, by_torch: bool = False) -> None:
        """Remember a write that has just happened; torch puts back what it changes unseen."""
        storage = tensor.untyped_storage()
        address = storage._cdata
        self.last.pop(address, None)  # so that the oldest come first
        self.last[address] = Written(
            op,
            spot,
            tensor._version,
            StorageWeakRef(storage),  # type: ignore[no-untyped-call]
            next_sequence(),
            not by_torch and self._is_detached(tensor),
        )
        if len(self.last) > _MOST:
            for old in list(self.last)[: _MOST // 2]:
                del self.last[old]


def versions_of(tensors: Sequence[torch.Tensor]) -> list[int]:
    """Give the versions of tensors, -1 where torch counts none."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:  # those made under inference_mode count none
        return [-1 if tensor.is_inference() else tensor._version for tensor in tensors]
