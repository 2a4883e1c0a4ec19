"""Which line last wrote in place to each storage."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from autograd_inspect.recording.sites import Spot

#: Storages remembered; of those that have gone, torch uses the addresses again.
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Written:
    """An in-place write: what was called, where, and the version that it left."""

    op: str
    spot: Spot
    version: int


@dataclass(slots=True)
class Writes:
    """The last in-place write to each storage, by the storage's address."""

    last: dict[int, Written] = field(default_factory=dict)

    def note(self, tensor: torch.Tensor, op: str, spot: Spot) -> None:
        """Remember a write that has just happened."""
        address = tensor.untyped_storage()._cdata
        self.last.pop(address, None)  # so that the oldest come first
        self.last[address] = Written(op, spot, tensor._version)
        if len(self.last) > _MOST:
            for old in list(self.last)[: _MOST // 2]:
                del self.last[old]
