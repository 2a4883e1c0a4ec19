"""What the user asked to run, read from the words on the command line."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograd_inspect.errors import ExpressionError, TargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# A colon before a slash belongs to a path (`C:\train.py`, `http://`), not to EXPR.
_COLON = re.compile(r":(?![/\\])")
_LONGEST_CODE_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Target:
    """A program to run, what to look at in it, and the arguments it is given.

    `name` is what the user typed without EXPR: a path, a module, the code itself, or `-`.
    """

    kind: Literal["path", "module", "code", "stdin"]
    name: str
    expression: str | None = None
    arguments: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the user typed, short enough for a message: `train.py:loss`, `-m pkg.train`."""
        name = self.name
        if self.kind == "module":
            name = f"-m {name}"
        elif self.kind == "code":
            name = f"-c {_shorten(name)}"
        if self.expression is None:
            return name
        # Code is full of colons of its own, so its EXPR is set apart by the option's name.
        return (
            f"{name} -e {self.expression}" if self.kind == "code" else f"{name}:{self.expression}"
        )

    @property
    def stem(self) -> str:
        """A short name that is safe in a file name: `train`, `pkg.train`, `command`, `stdin`."""
        if self.kind == "code":
            return "command"
        if self.kind == "stdin":
            return "stdin"
        # Resolved, because `.` has no name of its own.
        name = self.name if self.kind == "module" else Path(self.name).resolve().stem
        return re.sub(r"[^\w.-]", "_", name) or "program"


def parse_target(
    text: str,
    *,
    module: bool = False,
    code: bool = False,
    expression: str | None = None,
    arguments: Sequence[str] = (),
) -> Target:
    """Read TARGET, and check all of it that can be checked before anything runs.

    An existing path wins whole; otherwise the first colon that is not followed by a slash
    separates EXPR. `expression` is what `--expr` gave.
    """
    if module and code:
        raise UsageError("-m and -c cannot be combined", hint="choose one of the two")
    if code:
        return Target("code", text, _checked(expression), tuple(arguments))
    name, after_colon = _split(text, may_be_path=not module)
    if after_colon is not None and expression is not None:
        raise UsageError(
            f"two expressions: {after_colon!r} after the colon and {expression!r} from --expr",
            hint="give only one of them",
        )
    if module:
        kind: Literal["path", "module", "stdin"] = "module"
        _check_module(name)
    elif name == "-":
        kind = "stdin"
    else:
        kind = "path"
        _check_path(name)
    chosen = after_colon if expression is None else expression
    return Target(kind, name, _checked(chosen), tuple(arguments))


def _split(text: str, *, may_be_path: bool) -> tuple[str, str | None]:
    colon = _COLON.search(text)
    if colon is None or (may_be_path and Path(text).exists()):
        return text, None
    return text[: colon.start()], text[colon.end() :]


def _checked(expression: str | None) -> str | None:
    """Return EXPR as it came, or say where it goes wrong."""
    if expression is None:
        return None
    if not expression.strip():
        raise ExpressionError("EXPR is empty", hint="write an expression, as in train.py:loss")
    try:
        compile(expression, "<EXPR>", "eval", dont_inherit=True)
    except SyntaxError as error:
        column = min(error.offset or 1, len(expression) + 1)
        raise ExpressionError(
            f"EXPR {expression!r} is not an expression: {error.msg} (at character {column})",
            hint="EXPR is one Python expression, as in train.py:loss",
        ) from None
    return expression


def _check_module(name: str) -> None:
    if not name:
        raise TargetError("-m needs the name of a module", hint="as in -m package.train")
    if name.endswith(".py") and Path(name).is_file():
        raise TargetError(
            f"-m takes a module, and {name} is a file", hint=f"leave out -m, or use -m {name[:-3]}"
        )


def _check_path(name: str) -> None:
    path = Path(name)
    if not name:
        raise TargetError("no program is named before the colon", hint="as in train.py:loss")
    if not path.exists():
        raise TargetError(f"there is no file {name}", hint=_near(path))
    if path.is_dir() and not any((path / f"__main__.{end}").exists() for end in ("py", "pyc")):
        raise TargetError(
            f"{name} is a directory without a __main__.py", hint="name a file in it to run"
        )
    if not os.access(path, os.R_OK):
        raise TargetError(f"{name} cannot be read: permission denied")


def _near(path: Path) -> str:
    """Suggest the programs beside a missing one whose names are like it."""
    if "." in path.name and Path(f"{str(path).replace('.', os.sep)}.py").is_file():
        return f"for a module: -m {path}"
    try:
        beside = [entry for entry in path.parent.iterdir() if entry.suffix == ".py"]
    except OSError:
        return f"there is no directory {path.parent}"
    names = {entry.name: str(entry) for entry in beside}
    close = difflib.get_close_matches(path.name, names, cutoff=0.7)
    close += difflib.get_close_matches(f"{path.name}.py", names, cutoff=0.9)
    return (
        f"did you mean {' or '.join(names[name] for name in dict.fromkeys(close))}?"
        if close
        else ""
    )


def _shorten(code: str) -> str:
    line = " ".join(code.split())
    fits = len(line) <= _LONGEST_CODE_SHOWN
    return line if fits else f"{line[: _LONGEST_CODE_SHOWN - 3]}..."
