"""How a run is ended once the capture is taken."""

from __future__ import annotations


class Stop(BaseException):
    """Unwinds the user's program after the capture.

    A `BaseException`, so that `except Exception` in a training loop lets it pass while `finally`
    blocks and context managers still run.
    """
