"""`[tool.agi]` in the nearest pyproject.toml: defaults for the options, below `AGI_*` and flags."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograd_inspect.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


#: Gives the options of a command: by what follows the dashes, the name of the parameter.
Options = Callable[[str], Mapping[str, str]]


def defaults(start: Path, options: Options) -> dict[str, dict[str, Any]]:
    """Read the options per command: `[tool.agi.render] format = "svg"`."""
    for directory in (start, *start.parents):
        path = directory / "pyproject.toml"
        if path.is_file():
            return _read(path, options)
    return {}


def _read(path: Path, options: Options) -> dict[str, dict[str, Any]]:
    if b"tool.agi" not in path.read_bytes():
        return {}
    try:
        tables = tomllib.loads(path.read_text("utf-8"))["tool"]["agi"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: {error}") from error
    return {
        command: {
            _parameter(key, options(command), f"{path}: [tool.agi.{command}]"): value
            for key, value in table.items()
        }
        for command, table in tables.items()
        if isinstance(table, dict)
    }


def _parameter(key: str, known: Mapping[str, str], where: str) -> str:
    """Give the parameter that a key, which is an option without its dashes, stands for."""
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"
        raise UsageError(f"{where} has no option {key!r}", hint=meant)
    return known[key]
