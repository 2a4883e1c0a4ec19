"""The `.agi/` folder: where captures go that the user gave no name, and how they are found again.

A name is the UTC second and the script's stem, `20261123-174500-train.agi`, so that sorting by name
is sorting by age without asking the file system, whose times a copy or a checkout changes.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from autograd_inspect.errors import CaptureError, UsageError
from autograd_inspect.store.file import printable

_STAMP = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"(?P<stamp>2\d{7}-\d{6})-(?P<stem>[\w.-]+?)(-rank(?P<rank>\d+))?\.agi")
_LONGEST_STEM = 40  # characters; a file name has 255 bytes, and a character up to four

#: So that version control and backups pass the folder by, as they do a tool's cache.
_FOLDER_FILES = {
    ".gitignore": "*\n",
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
}


def captures_dir(start: Path) -> Path:
    """Give the folder for a process that started in `start`; it need not exist.

    `AGI_DIR` names another. Ask before the user's program runs: it may change directory.
    """
    return start.absolute() / (os.environ.get("AGI_DIR") or ".agi")


def new_path(directory: Path, stem: str, *, rank: int | None = None) -> Path:
    """Make the folder, and give a name in it that sorts behind all that are there.

    A second that has a capture is passed over, but the ranks of one run may share theirs.
    """
    _make(directory)
    stem = re.sub(r"[^\w.]+", "-", stem).strip("-.")[:_LONGEST_STEM] or "capture"
    time = datetime.now(timezone.utc).replace(tzinfo=None)
    for name in _names(directory):
        if rank is None or name["stem"] != stem or name["rank"] == str(rank):
            time = max(time, _time(name) + timedelta(seconds=1))
    suffix = "" if rank is None else f"-rank{rank}"
    return directory / f"{time:{_STAMP}}-{stem}{suffix}.agi"


def recent(directory: Path) -> list[Path]:
    """List the captures whose names are of our making, newest first."""
    return [directory / name[0] for name in _names(directory)]


def last(directory: Path, n: int = 1) -> Path:
    """Give the n-th newest capture; raises CaptureError where there is none."""
    captures = recent(directory)
    if not captures:
        raise CaptureError("no capture here yet; make one: agi trace script.py:loss")
    if not 1 <= n <= len(captures):
        raise CaptureError(f"no capture number {n} here: 1 is the last of {len(captures)}")
    return captures[n - 1]


def prune(directory: Path, keep: int = 20) -> None:
    """Delete all but the newest captures, and nothing whose name is not of our making.

    Each rank keeps its own, or one run of many ranks would push out all others and part of itself.
    """
    seen: Counter[str | None] = Counter()
    for name in _names(directory):
        seen[name["rank"]] += 1
        if seen[name["rank"]] > keep:
            with suppress(OSError):  # another process was faster, or has it open on Windows
                (directory / name[0]).unlink()


def _make(directory: Path) -> None:
    """Create the folder; one that was there is somebody's, and is left without our files."""
    try:
        directory.mkdir(parents=True)
        for name, text in _FOLDER_FILES.items():
            (directory / name).write_text(text, encoding="ascii")
    except FileExistsError:
        if directory.is_dir():
            return
        raise UsageError(f"{printable(directory)} is in the way: it is no directory") from None
    except OSError as error:
        raise UsageError(f"cannot make {printable(directory)}: {error.strerror}") from error


def _names(directory: Path) -> list[re.Match[str]]:
    """Take apart the names in a folder that are of our making, newest first."""
    try:
        entries = sorted((path.name for path in directory.iterdir()), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CaptureError(f"cannot read {printable(directory)}: {error.strerror}") from error
    return [name for name in map(_NAME.fullmatch, entries) if name and _is_time(name)]


def _is_time(name: re.Match[str]) -> bool:
    try:
        return bool(_time(name))
    except ValueError:  # the digits of no day
        return False


def _time(name: re.Match[str]) -> datetime:
    return datetime.strptime(name["stamp"], _STAMP)  # noqa: DTZ007 - all times here are UTC
