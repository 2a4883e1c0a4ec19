"""Where things are printed: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from autograd_inspect.cli.options import Color
from autograd_inspect.errors import UsageError

#: Rows of a tree that nobody's screen limits.
ROWS_IN_A_PIPE = 60
_LINES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Terminal:
    """What stdout can show.

    interactive  somebody is looking at it; otherwise full values, no colour, nothing cut
    rows         lines that fit, a prompt below them included
    """

    interactive: bool
    color: bool
    ascii: bool
    width: int
    rows: int

    @classmethod
    def of_stdout(
        cls, *, color: Color = Color.AUTO, ascii_only: bool = False, width: int | None = None
    ) -> Terminal:
        """Look at stdout and the usual environment variables."""
        interactive = sys.stdout.isatty()
        size = shutil.get_terminal_size((100, ROWS_IN_A_PIPE + 3))
        encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
        return cls(
            interactive=interactive,
            color=_wants_color(color, interactive=interactive),
            ascii=ascii_only or not encoding.startswith("utf"),
            width=width or size.columns,
            rows=size.lines - 3 if interactive else ROWS_IN_A_PIPE,
        )


def _wants_color(color: Color, *, interactive: bool) -> bool:
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return interactive and os.environ.get("TERM") != "dumb"


def say(message: str, *, quiet: bool = False) -> None:
    """Tell the user something that is not the result."""
    if not quiet:
        print(message, file=sys.stderr)


def write_file(content: str | bytes, path: Path, *, force: bool) -> None:
    """Write a result in one go; raises UsageError where that is not possible."""
    check_free(path, force=force)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".agi-{os.urandom(6).hex()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def check_free(path: Path, *, force: bool) -> None:
    """Raise UsageError where a file is in the way, or there is nowhere to write it."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory", hint="-o names a file")
    if path.exists() and not force:
        raise UsageError(f"{path} exists", hint="--force overwrites it")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}")


class Results:
    """The stream that results go to.

    While a program runs whose output would mix with a result that a machine reads, its stdout is
    turned to stderr; the results keep the real one.
    """

    def __init__(self) -> None:
        self._own: BinaryIO | None = None

    def set_apart(self) -> None:
        """From now on send what anybody else prints on stdout to stderr."""
        sys.stdout.flush()
        self._own = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def write(self, content: str | bytes) -> None:
        """Write text or bytes to the real stdout; text ends in one newline."""
        data = content
        if isinstance(data, str):
            encoding = sys.stdout.encoding or "utf-8"
            text = data if data.endswith("\n") or not data else data + "\n"
            data = text.encode(encoding, "backslashreplace")
        sys.stdout.flush()
        stream = self._own or sys.stdout.buffer
        stream.write(data)
        stream.flush()

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines as they come, some thousand at a time."""
        waiting: list[str] = []
        for line in lines:
            waiting.append(line)
            if len(waiting) >= _LINES_AT_ONCE:
                self.write("\n".join(waiting))
                waiting.clear()
        if waiting:
            self.write("\n".join(waiting))
