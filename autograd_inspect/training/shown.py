"""Values that the user asked to see, before the first step and after the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd_inspect.model.training import Shown
from autograd_inspect.tracing.expression import Expression
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.training.naming import values_of

Scopes = Callable[[], Sequence[Scope]]


class ShownValues:
    """Reads the values at every step, for nobody knows which one is the last."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._shown = {one: Shown(one.text, None, None) for one in expressions}

    def before(self, scopes: Scopes) -> None:
        """Read what has not been read before a step yet."""
        missing = [one for one, shown in self._shown.items() if shown.before is None]
        if missing:
            there = scopes()
            for one in missing:
                self._shown[one] = Shown(one.text, values_of(one, there), None)

    def after(self, scopes: Scopes) -> None:
        """Read all of them after a step."""
        if self._shown:
            there = scopes()
            for one, shown in self._shown.items():
                self._shown[one] = Shown(one.text, shown.before, values_of(one, there))

    def table(self) -> tuple[Shown, ...]:
        """Give what was read."""
        return tuple(self._shown.values())
