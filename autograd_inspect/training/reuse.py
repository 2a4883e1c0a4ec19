"""Gradients that a step has used and that nobody cleared before more was added to them.

Accumulation that is meant adds up several backward calls and then steps. So a gradient counts as
reused only where a step has used it, a backward came after that, and a second step uses the sum.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from autograd_inspect.training.norms import norms

#: Gradients that are looked at to tell whether there are any.
_FEW = 8


class Reuse:
    """Follows the gradients of one optimizer's parameters from step to step.

    No gradient is held: the tensor's identity is enough, because clearing is looked for before
    every backward, when nothing can have taken its place yet.

    added  backward calls since the last step that added to what another had left for the next
    """

    def __init__(self) -> None:
        self.added = 0
        self._used: dict[int, int] = {}
        self._backward_since = False

    def before_backward(self, parameters: Sequence[torch.Tensor]) -> None:
        """Notice what was cleared since the last step."""
        if self._used:
            self._drop_cleared(parameters)
        elif self._backward_since and _any_gradient(parameters):
            self.added += 1
        self._backward_since = True

    def reused(self, parameters: Sequence[torch.Tensor]) -> int:
        """Count the parameters that a step is about to move by what one has moved them by."""
        if not (self._used and self._backward_since):
            return 0
        self._drop_cleared(parameters)
        return len(self._used)

    def after_step(self, parameters: Sequence[torch.Tensor]) -> None:
        """Remember what this step has used."""
        gradients = [(id(parameter), parameter.grad) for parameter in parameters]
        self._used = {key: id(grad) for key, grad in gradients if grad is not None}
        self._backward_since = False
        self.added = 0

    def _drop_cleared(self, parameters: Sequence[torch.Tensor]) -> None:
        held = [(id(parameter), parameter.grad) for parameter in parameters]
        same = {k: grad for k, grad in held if grad is not None and self._used.get(k) == id(grad)}
        sizes = norms(list(same.values())) if same else []
        self._used = {
            key: id(grad) for (key, grad), size in zip(same.items(), sizes, strict=True) if size
        }


def _any_gradient(parameters: Sequence[torch.Tensor]) -> bool:
    """Tell whether there is any gradient that is not all zero; the first few tell."""
    there = (parameter.grad for parameter in parameters if parameter.grad is not None)
    return any(norms(list(itertools.islice(there, _FEW))))
