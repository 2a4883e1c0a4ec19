"""Every error that `agi` raises on purpose.

    AgiError                  what happened, what to do next, the exit status
    ├── UsageError       (2)  the command line or call cannot be carried out as given
    │   ├── TargetError       the script, module or directory is not there or not readable
    │   ├── ExpressionError   EXPR does not parse, names nothing, or is no tensor
    │   └── FunctionError     a function of the program cannot be called so, or raised
    ├── CaptureError     (2)  a capture is missing, damaged or from a newer version
    ├── RenderError      (2)  a drawing needs something that is not installed, or failed
    └── NoGraphError     (5)  the program ran, but nothing had a grad_fn

Only `cli.main` prints them and exits. Any other exception that reaches it is a bug of ours.
"""

from __future__ import annotations

from typing import ClassVar


class AgiError(Exception):
    """An error with a message in the user's words and a hint at what to do next.

    `slug` names the kind of error for machines, `exit_code` is the process status it ends in.
    """

    exit_code: ClassVar[int] = 2
    slug: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AgiError):
    """The command line, or a call of the library, cannot be carried out as given."""

    slug = "usage"


class TargetError(UsageError):
    """The program to run is missing, unreadable or ambiguous."""

    slug = "target"


class ExpressionError(UsageError):
    """EXPR does not parse, names nothing that exists, or evaluates to something else."""

    slug = "expression"


class FunctionError(UsageError):
    """A function of the program cannot be called with these inputs, or raised when it was.

    What it raised is the cause of this error.
    """

    slug = "function"


class CaptureError(AgiError):
    """A capture file is missing, damaged, or written by a newer version."""

    slug = "capture"


class RenderError(AgiError):
    """A picture cannot be made: something is not installed, or an engine failed."""

    slug = "render"


class NoGraphError(AgiError):
    """The program ran, but there was no autograd graph to capture."""

    exit_code = 5
    slug = "no-graph"
