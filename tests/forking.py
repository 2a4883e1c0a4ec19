"""Running `agi` as in a process of its own, without the time that importing torch takes.

A server that has imported torch waits; each run is a fork of it. What depends on the order of
imports or on the environment is tested in real processes, see `process.py`, as everything is where
nothing can fork.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import traceback
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from process import Done, run_agi

CAN_FORK = sys.platform == "linux"
#: Seconds that a run may take.
_LIMIT = 300


def fork_agi(*arguments: str, cwd: Path, stdin: str = "") -> Done:
    """Run `agi` in a directory; a traceback of ours in its output fails the test."""
    if not CAN_FORK:
        return run_agi(*arguments, cwd=cwd, stdin=stdin)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_text(stdin, "utf-8")
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps([arguments, str(cwd), name]) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        out, err = ((folder / one).read_text("utf-8") for one in ("stdout", "stderr"))
    assert "this is a bug in autograd-inspect" not in err, err
    return Done(status, out, err)


@cache
def _server() -> subprocess.Popen[str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AGI_", "FORCE_COLOR"))}
    command = [sys.executable, __file__]
    server = subprocess.Popen(
        command, env=plain, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.kill)
    return server


def serve() -> None:
    """Fork for each line that comes in, and answer with the status that the fork ends in."""
    import torch  # noqa: F401 - so that no fork has to

    for line in sys.stdin:
        arguments, cwd, folder = json.loads(line)
        child = os.fork()
        if child == 0:
            run_here(arguments, cwd, Path(folder))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def run_here(arguments: list[str], cwd: str, folder: Path) -> NoReturn:
    """Become the process of one run, and end."""
    for number, (name, how) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        with (folder / name).open(how) as file:
            os.dup2(file.fileno(), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - ends with the process
    os.chdir(cwd)
    signal.alarm(_LIMIT)
    sys.argv = ["agi", *arguments]
    sys.path[0] = cwd
    status = 1
    try:
        runpy.run_module("autograd_inspect", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve()
