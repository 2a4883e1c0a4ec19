"""The user's frames at a point of interest, innermost first, and what can be read in them."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from autograd_inspect.model.places import Place

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_STDLIB = tuple(
    {sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib")}
)  # "site-packages" lies inside the first: asked for separately below


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


@lru_cache(maxsize=4096)
def is_machinery(filename: str) -> bool:
    """Tell torch's files, ours and frozen modules from the program's and its libraries'."""
    if filename.startswith((_PACKAGE, "<frozen ")):
        return True
    parts = Path(filename).parts
    return "torch" in parts and any(part in {"site-packages", "dist-packages"} for part in parts)


@lru_cache(maxsize=4096)
def is_own(filename: str) -> bool:
    """Tell the user's own code from installed libraries and the standard library."""
    if is_machinery(filename):
        return False
    if any(part in {"site-packages", "dist-packages"} for part in Path(filename).parts):
        return False
    return not filename.startswith(_STDLIB)


def relative_to(filename: str, start: Path) -> str:
    """Shorten a path below the starting directory; leave any other as it is."""
    try:
        return Path(filename).relative_to(start).as_posix()
    except ValueError:
        return filename
