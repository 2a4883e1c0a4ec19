"""Which rules count.

Apart from the rules, so that a wrong name is found before the program runs.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_inspect.checks.codes import CODES
from autograd_inspect.errors import UsageError


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules count: codes, beginnings of codes, or slugs; all where none is selected."""

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()

    def check(self) -> None:
        """Raise UsageError where a name fits no rule."""
        for name in (*self.select, *self.ignore):
            if not any(fits(slug, name) for slug in CODES):
                near = difflib.get_close_matches(name, [*CODES, *CODES.values()], n=1)
                hint = f"did you mean {near[0]}?" if near else "agi rule lists them"
                raise UsageError(f"there is no rule {name!r}", hint=hint)

    def wants(self, slug: str) -> bool:
        """Tell whether a rule counts."""
        chosen = not self.select or any(fits(slug, name) for name in self.select)
        return chosen and not any(fits(slug, name) for name in self.ignore)


#: All rules.
EVERYTHING = Choice()


def fits(slug: str, name: str) -> bool:
    """Tell whether a name stands for a rule: its slug, its code, or the beginning of its code."""
    return slug == name or (bool(name) and CODES[slug].startswith(name.upper()))
