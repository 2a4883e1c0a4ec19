"""The step of one of torch's own optimizers: a write to each of its parameters, and no more.

What it computes in between has no graph and is nobody's but its own, and would be the greater part
of all operations to be watched. What a closure computes, and an optimizer of the program's own, is
the program's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from autograd_inspect.recording.sites import spot_of
from autograd_inspect.recording.values import Born
from autograd_inspect.recording.writes import versions_of

if TYPE_CHECKING:
    from autograd_inspect.recording.flow import Flow

_FOLDER = str(Path(torch.optim.__file__).parent) + os.sep
#: Averages of weights, schedules, and what all optimizers share beside the step: not steps.
_NO_STEPS = tuple(_FOLDER + name for name in ("swa_utils.py", "lr_scheduler.py", "optimizer.py"))


class _Files(dict[str, bool]):
    """Whether a file is that of an optimizer of torch's."""

    def __missing__(self, filename: str) -> bool:
        self[filename] = found = filename.startswith(_FOLDER) and filename not in _NO_STEPS
        return found


OF_OPTIMIZERS = _Files()


class Stepping:
    """Notes what steps wrote, for the flow that does not look into them."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._before: dict[int, tuple[list[torch.Tensor], list[int]]] = {}

    def begin(self) -> Callable[[], None]:
        """Take our places around every step; gives what leaves them again."""
        before = register_optimizer_step_pre_hook(self._begun)
        after = register_optimizer_step_post_hook(self._done)

        def end() -> None:
            before.remove()
            after.remove()

        return end

    def _begun(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if not self._flow.asleep:
            self._flow.guard(self._note_versions, optimizer)

    def _done(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if not self._flow.asleep:
            self._flow.guard(self._note_writes, optimizer, sys._getframe(1))

    def _note_versions(self, optimizer: torch.optim.Optimizer) -> None:
        with torch._C.DisableTorchFunction():
            held = [one for group in optimizer.param_groups for one in group["params"]]
            self._before[id(optimizer)] = held, versions_of(held)

    def _note_writes(self, optimizer: torch.optim.Optimizer, frame: Any) -> None:
        held, versions = self._before.pop(id(optimizer), ([], []))
        spot, op = spot_of(frame), f"{type(optimizer).__name__}.step"
        with torch._C.DisableTorchFunction():
            for tensor, version in zip(held, versions, strict=True):
                if version < 0 or tensor._version == version or self._flow.writes.knows(tensor):
                    continue
                self._flow.writes.note(tensor, op, spot)
                given = [tensor] if tensor.grad is None else [tensor, tensor.grad]
                self._flow.values.note([tensor], given, lambda: Born(op, spot))
