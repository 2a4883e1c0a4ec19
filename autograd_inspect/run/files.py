"""Whose file it is: the user's own, an installed library's, or machinery nobody wants to see."""

from __future__ import annotations

import os
import sysconfig
from functools import lru_cache
from pathlib import Path

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_STDLIB = tuple(
    {sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib")}
)  # "site-packages" lies inside the first: asked for separately below
_INSTALLED = {"site-packages", "dist-packages"}


def is_ours(filename: str) -> bool:
    """Tell files of this package."""
    return filename.startswith(_PACKAGE)


@lru_cache(maxsize=4096)
def is_machinery(filename: str) -> bool:
    """Tell torch's files, ours, and code that no file holds from the program's and its libraries'.

    Torch gives code that it generates names such as `<eval_with_key>.3`; code from the user's own
    `exec` is `<string>`.
    """
    if is_ours(filename) or filename.startswith(("<frozen ", "<eval_with_key>")):
        return True
    parts = _parts(filename)
    return "torch" in parts and not _INSTALLED.isdisjoint(parts)


@lru_cache(maxsize=4096)
def is_own(filename: str) -> bool:
    """Tell the user's own code from installed libraries and the standard library."""
    if is_machinery(filename) or not _INSTALLED.isdisjoint(_parts(filename)):
        return False
    return not filename.startswith(_STDLIB)


def _parts(filename: str) -> list[str]:
    """Take a path apart, without functions of python's that `torch.compile` would compile."""
    return filename.replace("\\", "/").split("/")


def relative_to(filename: str, start: Path) -> str:
    """Shorten a path below the starting directory; leave any other as it is."""
    try:
        return Path(filename).relative_to(start).as_posix()
    except ValueError:
        return filename
