"""Captures in files: written whole or not at all, read whole or refused in one line."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograd_inspect.errors import CaptureError, UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.store import archive


def save(capture: Capture, path: Path, *, force: bool = False) -> None:
    """Write a capture so that at every moment `path` is the old file, none, or the whole new one.

    It is written as `.agi-*.tmp` in the same directory, which only a killed process leaves behind.
    """
    temporary = path.parent / f".agi-{os.urandom(8).hex()}.tmp"
    try:
        _check_place(path, force=force)
        with temporary.open("x+b") as file:
            archive.pack(capture, file)
            file.flush()
            os.fsync(file.fileno())
        _publish(temporary, path, force=force)
    except OSError as error:
        raise UsageError(f"cannot write {printable(path)}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def load(path: Path) -> Capture:
    """Read a capture; raises CaptureError where it is missing, damaged or too new."""
    data = _read(path)
    description = archive.describe(data)
    if description.get("format", archive.FORMAT) != archive.FORMAT:
        raise CaptureError(f"{printable(path)} is a zip archive, but not a capture")
    version = _version(description)
    if version[0] > archive.VERSION[0]:
        raise _newer(path, version)
    try:
        return archive.unpack(data)
    except MemoryError as error:
        raise CaptureError(f"{printable(path)} needs more memory than there is") from error
    except archive.UNREADABLE as error:
        if version > archive.VERSION and archive.is_sealed(data):
            raise _newer(path, version) from error
        raise CaptureError(
            f"{printable(path)} is damaged ({_reason(error)}); trace it again: "
            f"agi trace {_target(description)}"
        ) from error


def printable(path: Path) -> str:
    """Show a path on one line, whatever bytes or control characters its name holds."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def _check_place(path: Path, *, force: bool) -> None:
    if not path.exists():
        if not path.parent.exists():
            raise UsageError(f"cannot write {printable(path)}: its directory does not exist")
        return
    if not path.is_file():  # a rename would put a file in the place of /dev/null
        raise UsageError(f"cannot write {printable(path)}: it is no ordinary file")
    if not force:
        raise _exists(path)


def _publish(temporary: Path, path: Path, *, force: bool) -> None:
    if force:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike a rename, never replaces what came meanwhile
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:  # a file system without hard links
        temporary.replace(path)


def _exists(path: Path) -> UsageError:
    return UsageError(f"{printable(path)} exists; --force overwrites it")


def _read(path: Path) -> bytes:
    """Read a file that is, or was, a capture; anything else is refused by its first bytes."""
    name = printable(path)
    try:
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "no ordinary file"
            raise CaptureError(f"{name} is {kind}, not a capture")
        with path.open("rb") as file:
            start = file.read(64)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64))
            if archive.looks_like_capture(start, end=file.read()):
                file.seek(0)
                return file.read()
    except FileNotFoundError as error:
        raise CaptureError(f"there is no capture {name}") from error
    except OSError as error:
        raise CaptureError(f"cannot read {name}: {error.strerror or error}") from error
    if not start:
        raise CaptureError(f"{name} is empty")
    if start.startswith(b"PK"):
        raise CaptureError(f"{name} is a zip archive, but not a capture")
    raise CaptureError(f"{name} is not a capture")


def _version(description: dict[str, Any]) -> tuple[int, int]:
    match description.get("version"):
        case [int(major), int(minor)]:
            return major, minor
    return archive.VERSION


def _newer(path: Path, version: tuple[int, int]) -> CaptureError:
    major, minor = version
    return CaptureError(
        f"{printable(path)} was written by a newer agi (format {major}.{minor}); this one reads "
        f"{archive.VERSION[0]}.x. Upgrade: pip install -U autograd-inspect"
    )


def _reason(error: BaseException) -> str:
    """Say in a few words what was wrong; what parsers say may run over many lines."""
    said = str(error).partition("\n")[0]
    return said if said.isprintable() and 0 < len(said) < 100 else type(error).__name__


def _target(description: dict[str, Any]) -> str:
    """Give what to trace again, as far as the damaged file still tells."""
    match description.get("about"):
        case {"target": str(target), "expression": str(expression), "arguments": [*arguments]}:
            if expression and not target.endswith(f":{expression}"):
                target = f"{target}:{expression}"
            command = " ".join([target, *(shlex.quote(str(word)) for word in arguments)])
            if command.isprintable():
                return command
    return "script.py:loss"
