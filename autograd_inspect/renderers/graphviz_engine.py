"""Drawing with Graphviz: the system's `dot`, in a process of its own that is not let run for ever.

Graphviz may take hours and all memory for a graph of a few thousand nodes, and offers no limit.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

from autograd_inspect.errors import RenderError

TIME_LIMIT = 20.0


def render(dot: str, *, format: str = "svg", time_limit: float = TIME_LIMIT) -> bytes:  # noqa: A002 - as dot's own option
    """Have `dot` draw DOT text as svg, png or pdf; raises RenderError where it cannot in time."""
    program = shutil.which("dot")
    if program is None:
        raise RenderError(
            "there is no Graphviz here: no `dot` on PATH",
            hint="install Graphviz (apt install graphviz, brew install graphviz), "
            "or leave --engine out",
        )
    output, complaint, status = _run([program, f"-T{format}"], dot.encode(), time_limit)
    if status or not output:
        first = complaint.decode(errors="replace").strip().partition("\n")[0]
        raise RenderError(f"dot failed with status {status}: {first or 'it wrote nothing'}")
    return output


def _run(command: list[str], text: bytes, time_limit: float) -> tuple[bytes, bytes, int]:
    # A session of its own, so that whatever it starts can be ended with it.
    process = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell reads it
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, complaint = process.communicate(text, timeout=time_limit)
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"dot was stopped after {time_limit:g} s",
            hint="leave --engine out, or lower --limit",
        ) from error
    finally:
        if process.poll() is None:
            _end(process)
    return output, complaint, process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started, and wait until it is gone."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
