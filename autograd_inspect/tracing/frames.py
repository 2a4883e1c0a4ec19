"""The user's frames at a point of interest, innermost first, and what can be read in them."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from autograd_inspect.model.places import Place
from autograd_inspect.run.files import is_machinery, is_own, relative_to


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that one frame can see, and the line it stands at."""

    variables: Mapping[str, Any]
    globals: dict[str, Any]
    code: CodeType | None = None
    line: int = 0

    @property
    def is_function(self) -> bool:
        """Whether it has variables of its own beside the globals."""
        return self.variables is not self.globals

    @property
    def is_own(self) -> bool:
        """Whether it is the user's own code, not a library's."""
        return self.code is None or is_own(self.code.co_filename)

    def place(self, start: Path) -> Place | None:
        """Give its line, relative to the starting directory where it lies below it."""
        if self.code is None:
            return None
        return Place(relative_to(self.code.co_filename, start), self.line, self.code.co_name)


def scopes_from(frame: FrameType | None) -> list[Scope]:
    """Collect the program's scopes from a frame outwards, those of the user's own code first.

    Torch's own and ours are left out. A library that trains for the user has variables too, but
    the user knows the tensors by their own.
    """
    found = []
    while frame is not None:
        if not is_machinery(frame.f_code.co_filename):
            found.append(Scope(frame.f_locals, frame.f_globals, frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return sorted(found, key=lambda scope: scope.code is None or not is_own(scope.code.co_filename))


@contextmanager
def scopes_at(frame: FrameType) -> Iterator[list[Scope]]:
    """Give the scopes at a frame of a program that runs on, and leave nothing of them behind.

    Before Python 3.13, looking at a function's variables leaves a copy of them with its frame,
    which would keep alive what the program has long replaced. Where somebody else holds the copy,
    it is what `locals()` gave them, and stays.
    """
    scopes = scopes_from(frame)
    try:
        yield scopes
    finally:
        scopes.clear()
        if sys.version_info < (3, 13):
            _forget_copies(frame)


def _forget_copies(frame: FrameType | None) -> None:
    """Empty the copies of variables that the frames from this one outwards keep."""
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            copy = frame.f_locals
            if sys.getrefcount(copy) <= _REFERENCES:
                copy.clear()
            del copy
        frame = frame.f_back


#: To the copy of a frame's variables: the frame's, ours, and that of the function that counts.
_REFERENCES = 3


def scopes_of_traceback(traceback: TracebackType | None) -> list[Scope]:
    """Collect the scopes that an exception passed through, innermost first."""
    found = []
    while traceback is not None:
        frame = traceback.tb_frame
        if not is_machinery(frame.f_code.co_filename):
            line = traceback.tb_lineno
            found.append(Scope(frame.f_locals, frame.f_globals, frame.f_code, line))
        traceback = traceback.tb_next
    return found[::-1]


def user_place(scopes: Sequence[Scope], start: Path) -> Place | None:
    """Give the innermost line of the user's own code; of a library only where there is no other."""
    own = next((s for s in scopes if s.code and is_own(s.code.co_filename)), None)
    chosen = own or next(iter(scopes), None)
    return chosen.place(start) if chosen else None


def receiver(scopes: Sequence[Scope]) -> str:
    """Give the text of X where the program's line reads `X.backward(...)`, else nothing."""
    scope = next(iter(scopes), None)
    if scope is None or scope.code is None:
        return ""
    line = linecache.getline(scope.code.co_filename, scope.line, scope.globals).strip()
    try:
        statement = ast.parse(line).body[0]
    except (SyntaxError, IndexError):
        return ""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(value, "backward"))):
            return ast.unparse(value)
    return ""


def calling_frame() -> FrameType:
    """Give the frame that called the function which calls this."""
    return sys._getframe(2)


def line_at(frame: FrameType | None, start: Path) -> Place | None:
    """Give the innermost line of the user's own code from a frame outwards; reads no variables."""
    while frame is not None:
        code = frame.f_code
        if is_own(code.co_filename):
            return Place(relative_to(code.co_filename, start), frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None
