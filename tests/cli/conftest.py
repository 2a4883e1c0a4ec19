"""Scripts for the command line tests, each in a directory of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def script(tmp_path: Path) -> Write:
    """Write a script into the test's directory; gives the directory."""

    def write(text: str, name: str = "train.py") -> Path:
        (tmp_path / name).write_text(textwrap.dedent(text), "utf-8")
        return tmp_path

    return write
