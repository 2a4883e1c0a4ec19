"""Tensors made while gradients were off that autograd will not take as ordinary ones afterwards."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from autograd_inspect.recording.sites import Site, Spot


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Where such a tensor was made, and where gradients had been switched off.

    tensor  weak, so that it dies as it does without us
    """

    tensor: weakref.ref[torch.Tensor]
    spot: Spot
    region: Site | None


@dataclass(slots=True)
class UnrecordedTensors:
    """Those made under inference_mode, and views that no_grad kept from their base's graph."""

    _made: dict[int, Unrecorded] = field(default_factory=dict)

    def note(self, tensors: Sequence[torch.Tensor], spot: Spot, region: Site | None) -> None:
        """Remember those among what an operation put out with gradients off."""
        for tensor in tensors:
            if tensor.is_inference() or (tensor.requires_grad and tensor._base is not None):
                key = id(tensor)
                gone = weakref.ref(tensor, lambda _, key=key: self._made.pop(key, None))  # type: ignore[misc]
                self._made[key] = Unrecorded(gone, spot, region)

    def of(self, tensor: torch.Tensor) -> Unrecorded | None:
        """Tell where a tensor was made, None where it is an ordinary one."""
        made = self._made.get(id(tensor))
        return made if made is not None and made.tensor() is tensor else None
