"""What holds graphs while a program trains, and not only when it ends.

The variables of a function are gone by then, with the sum that it kept of its losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autograd_inspect.checking.live import Describer
from autograd_inspect.model.facts import LiveTensor
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.training.naming import graphs_held

#: Steps after which it is looked at; to look means to go through all that variables lead to.
_LOOKS = {4, 12}


@dataclass(slots=True)
class Keeping:
    """Looks at what holds graphs after some of the steps."""

    describer: Describer
    _early: dict[str, LiveTensor] = field(default_factory=dict)

    def is_due(self) -> bool:
        """Tell whether the step that has just ended is one to look after."""
        return len(self.describer.ends) in _LOOKS

    def look(self, scopes: Sequence[Scope]) -> None:
        """Remember what holds graphs now."""
        self._early |= {one.name: one for one in self._held(scopes)}

    def all(self, scopes: Sequence[Scope]) -> tuple[LiveTensor, ...]:
        """List what holds graphs at the end, and what did so earlier under another name."""
        late = self._held(scopes)
        names = {one.name for one in late}
        return (*late, *(one for name, one in self._early.items() if name not in names))

    def _held(self, scopes: Sequence[Scope]) -> tuple[LiveTensor, ...]:
        return self.describer.describe(graphs_held(scopes).items())
