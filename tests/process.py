"""Running `agi` as users do: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """What a process left behind."""

    status: int
    out: str
    err: str


def run_agi(*arguments: str, cwd: Path, stdin: str = "", **environment: str) -> Done:
    """Run `agi` in a directory; a traceback of ours in its output fails the test."""
    done = run(
        sys.executable, "-m", "autograd_inspect", *arguments, cwd=cwd, stdin=stdin, **environment
    )
    assert "this is a bug in autograd-inspect" not in done.err, done.err
    return done


def run(*command: str, cwd: Path, stdin: str = "", **environment: str) -> Done:
    """Run a command in a directory, without the terminal's own settings."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AGI_", "FORCE_COLOR"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=plain | environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Done(done.returncode, done.stdout, done.stderr)
