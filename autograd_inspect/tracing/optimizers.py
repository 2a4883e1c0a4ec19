"""What the optimizers of the program hold, those included that no variable leads to."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import torch

from autograd_inspect.tracing.expression import is_a


def held_by_optimizers() -> Iterator[torch.Tensor]:
    """Give what all optimizers hold that there are, whether they have stepped yet or not."""
    for one in gc.get_objects():
        if is_a(one, torch.optim.Optimizer):
            for group in getattr(one, "param_groups", ()):
                yield from group["params"]
