"""Where gradients were switched off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType

from autograd_inspect.recording.sites import Site, line_spot, spot_of
from autograd_inspect.run.files import is_own


@dataclass(slots=True)
class Regions:
    """Follows the switch of gradients on one thread.

    current    the line that switched them off, None while they are on
    suspended  the line of a region inside of which they are on again for a while
    """

    current: Site | None = None
    suspended: Site | None = None

    def switch(self, frame: FrameType, *, on: bool, was_on: bool) -> None:
        """See the switch set, in a frame inside of torch's own context manager."""
        if on:
            self.suspended, self.current = self.current, None
        elif was_on:
            back = self.suspended if _is_leaving(frame) else None
            self.current, self.suspended = back or _opened_at(frame), None


def _is_leaving(frame: FrameType | None) -> bool:
    """Tell whether the switch is only set back, at the end of a `with`."""
    while frame is not None and not is_own(frame.f_code.co_filename):
        if frame.f_code.co_name == "__exit__":
            return True
        frame = frame.f_back
    return False


@lru_cache(maxsize=4096)
def _decorated(code: CodeType) -> Site:
    return Site.at((code, 0, code.co_firstlineno))


def _opened_at(frame: FrameType | None) -> Site:
    """Give the line of the `with`; of the decorator, where a decorated function is called."""
    inner = frame
    while frame is not None and not is_own(frame.f_code.co_filename):
        if frame.f_code.co_name == "decorate_context":
            code = getattr(frame.f_locals.get("func"), "__code__", None)
            if code is not None and is_own(code.co_filename):
                return _decorated(code)
        frame = frame.f_back
    return line_spot(spot_of(inner))[0]
