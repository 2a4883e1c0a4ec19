"""What a GradScaler does between a loss and a step: the scale, and the steps it skips."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import torch


class Scaling:
    """Stands in front of `GradScaler.scale` and `GradScaler.step`.

    `skip` is told of each step that was skipped; `steps` counts those that were taken; `unscales`
    is told of an optimizer when the scale is taken out of its gradients again.
    """

    def __init__(self, steps: Callable[[], int], skip: Callable[[], None]) -> None:
        self._steps = steps
        self._skip = skip
        self.unscales: Callable[[Any], None] = lambda _: None
        self._scaled: tuple[weakref.ref[torch.Tensor], weakref.ref[torch.Tensor]] | None = None

    def start(self) -> Callable[[], None]:
        """Begin to watch; gives what ends it."""
        scaler: Any = torch.amp.GradScaler
        scale, step, unscale = scaler.scale, scaler.step, scaler.unscale_

        @functools.wraps(unscale)
        def watched_unscale(one: Any, optimizer: Any) -> Any:
            self.unscales(optimizer)
            return unscale(one, optimizer)

        @functools.wraps(scale)
        def watched_scale(one: Any, outputs: Any) -> Any:
            scaled = scale(one, outputs)
            is_known = isinstance(outputs, torch.Tensor) and isinstance(scaled, torch.Tensor)
            if is_known and scaled is not outputs:  # as a scaler that is switched off gives it
                self._scaled = weakref.ref(scaled), weakref.ref(outputs)
            return scaled

        @functools.wraps(step)
        def watched_step(one: Any, optimizer: Any, *arguments: Any, **options: Any) -> Any:
            before = self._steps()
            if getattr(optimizer, "_step_supports_amp_scaling", False):
                self.unscales(optimizer)  # it divides by the scale itself
            result = step(one, optimizer, *arguments, **options)
            if self._steps() == before:
                self._skip()
            return result

        scaler.scale, scaler.step = watched_scale, watched_step
        scaler.unscale_ = watched_unscale

        def end() -> None:
            scaler.scale, scaler.step, scaler.unscale_ = scale, step, unscale

        return end

    def is_scaled(self, root: object) -> bool:
        """Tell whether a root is the loss that was scaled last."""
        return self._scaled is not None and self._scaled[0]() is root

    def unscaled(self, root: torch.Tensor) -> torch.Tensor:
        """Give the loss that a root is a multiple of; the root itself where it is none."""
        if self._scaled is None or self._scaled[0]() is not root:
            return root
        loss = self._scaled[1]()
        return root if loss is None else loss
