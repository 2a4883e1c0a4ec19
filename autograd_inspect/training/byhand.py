"""Steps that a program takes without an optimizer: it moves its leaves itself.

Nothing tells when it does. So the leaves are looked at after a backward and again before the next:
if they have moved in between and no optimizer has ever stepped, that was a step. The last one of a
program that ends has no backward after it, and is not seen.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import torch

from autograd_inspect.training.norms import Norms
from autograd_inspect.training.optimizers import Tracked

#: What such steps are called in the place of an optimizer's name.
NAME = "by hand"


class ByHand:
    """Stands where an optimizer would, and holds the leaves of the latest graph."""

    def __init__(self) -> None:
        self.param_groups: list[dict[str, Any]] = []
        reference: Any = weakref.ref(self)
        self.tracked = Tracked(-1, NAME, reference, threading.get_ident())

    def look(self, leaves: Sequence[torch.Tensor]) -> bool:
        """Look at the leaves after a backward; True where they are others than before."""
        self.param_groups = [{"params": list(leaves)}]
        changed = self.tracked.refresh()
        self.tracked.before_step()
        return changed

    def moved(self) -> tuple[Norms, Norms] | None:
        """Give the norms of the leaves and of their change since the look; None for no change."""
        if not self.tracked.parameters or self.tracked.thread != threading.get_ident():
            return None
        weights, updates = self.tracked.compare()
        return (weights, updates) if any(updates) else None
