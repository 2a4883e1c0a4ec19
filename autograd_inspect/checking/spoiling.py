"""Where values came from that were not finite when a backward began."""

from __future__ import annotations

from pathlib import Path

from autograd_inspect.model.observed import Origin
from autograd_inspect.model.places import Place
from autograd_inspect.recording.places import lines_of
from autograd_inspect.recording.sites import Spot
from autograd_inspect.recording.values import Born
from autograd_inspect.run.files import relative_to


def chain_of(born: Born, start: Path) -> tuple[Origin, ...]:
    """Tell where a value came from, the latest first."""
    found = []
    one: Born | None = born
    while one is not None:
        found.append(Origin(one.op, one.value, stack_of(one.spot, start), one.given))
        one = one.cause
    return tuple(found)


def stack_of(spot: Spot, start: Path) -> tuple[Place, ...]:
    """Give the user's lines of a spot, innermost first."""
    return tuple(
        Place(relative_to(code.co_filename, start), line, code.co_name)
        for code, _, line in lines_of(spot)
    )
