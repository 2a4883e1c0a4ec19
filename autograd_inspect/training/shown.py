"""Values that the user asked to see, before the first step and after the last."""

from __future__ import annotations

from collections.abc import Sequence
from types import FrameType

from autograd_inspect.model.training import Shown
from autograd_inspect.tracing.expression import Expression
from autograd_inspect.tracing.frames import scopes_at
from autograd_inspect.training.naming import values_of


class ShownValues:
    """Reads the values at every step, for nobody knows which one is the last."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._shown = {one: Shown(one.text, None, None) for one in expressions}

    def before(self, frame: FrameType) -> None:
        """Read what has not been read before a step yet."""
        missing = [one for one, shown in self._shown.items() if shown.before is None]
        if missing:
            with scopes_at(frame) as scopes:
                for one in missing:
                    self._shown[one] = Shown(one.text, values_of(one, scopes), None)

    def after(self, frame: FrameType) -> None:
        """Read all of them after a step."""
        if self._shown:
            with scopes_at(frame) as scopes:
                for one, shown in self._shown.items():
                    self._shown[one] = Shown(one.text, shown.before, values_of(one, scopes))

    def table(self) -> tuple[Shown, ...]:
        """Give what was read."""
        return tuple(self._shown.values())
