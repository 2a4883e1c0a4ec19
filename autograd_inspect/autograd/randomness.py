"""The state of everything that random numbers come from, taken and put back."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class RandomState:
    """Where the generators of torch, python and numpy stood.

    Those of CUDA are looked at only where the program has begun to use it.
    """

    python: Any
    numpy: Any
    cpu: torch.Tensor
    cuda: tuple[torch.Tensor, ...]

    @classmethod
    def now(cls) -> RandomState:
        """Take the state."""
        numpy: Any = sys.modules.get("numpy.random")
        return cls(
            random.getstate(),
            numpy.get_state() if numpy is not None else None,
            torch.get_rng_state(),
            _cuda(),
        )

    def restore(self) -> None:
        """Put it back."""
        numpy: Any = sys.modules.get("numpy.random")
        random.setstate(self.python)
        if numpy is not None and self.numpy is not None:
            numpy.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)

    def is_now(self) -> bool:
        """Tell whether nothing has drawn a number since."""
        now = RandomState.now()
        return (
            self.python == now.python
            and _flat(self.numpy) == _flat(now.numpy)
            and all(map(torch.equal, (self.cpu, *self.cuda), (now.cpu, *now.cuda)))
        )


def _cuda() -> tuple[torch.Tensor, ...]:
    begun: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return tuple(torch.cuda.get_rng_state_all()) if begun else ()


def _flat(state: Any) -> Any:
    """Give numpy's state with its array as bytes, which compare as a whole."""
    return state and [part.tobytes() if hasattr(part, "tobytes") else part for part in state]
