"""`[tool.agi]` in the nearest pyproject.toml: defaults for the options, below `AGI_*` and flags."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

from autograd_inspect.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def defaults(start: Path) -> dict[str, dict[str, Any]]:
    """Read the options per command: `[tool.agi.render] format = "svg"`."""
    for directory in (start, *start.parents):
        path = directory / "pyproject.toml"
        if path.is_file():
            return _read(path)
    return {}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if b"tool.agi" not in path.read_bytes():
        return {}
    try:
        tables = tomllib.loads(path.read_text("utf-8"))["tool"]["agi"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: {error}") from error
    return {
        command: {_parameter(path, command, key): value for key, value in table.items()}
        for command, table in tables.items()
        if isinstance(table, dict)
    }


def _parameter(path: Path, command: str, key: str) -> str:
    """Give the parameter that a key, which is an option without its dashes, stands for."""
    options = _options(command)
    if key not in options:
        close = difflib.get_close_matches(key, options, n=1)
        raise UsageError(
            f"{path}: [tool.agi.{command}] has no option {key!r}",
            hint=f"did you mean {close[0]!r}?" if close else f"agi {command} --help lists them",
        )
    return options[key]


def _options(command: str) -> dict[str, str]:
    import typer

    from autograd_inspect.cli.app import app

    group: Any = typer.main.get_command(app)
    found = group.commands.get(command)
    if found is None:
        raise UsageError(f"[tool.agi.{command}]: there is no such command")
    return {
        flag.removeprefix("--"): parameter.name
        for parameter in found.params
        for flag in parameter.opts
        if flag.startswith("--")
    }
