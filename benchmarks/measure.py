"""Ratios within one run: what the benchmarks share.

The sides of a comparison take turns, and the result is the median of the ratios of one turn each:
whatever else the machine does meets both sides alike. Time is CPU time, so waiting does not count.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results; `met` is None where there is no bar, or nothing to hold to it."""

    what: str
    bar: str
    measured: str
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """Say whether the bar was met; nothing where there is none."""
        return {None: "-", True: "met", False: "NOT MET"}[self.met]


def clock(work: Callable[[], Any]) -> float:
    """CPU seconds of this thread that `work` takes; its result is dropped after the clock stops.

    Without the collector on any side: when it runs depends on what else the process holds.
    """
    gc.collect()
    gc.disable()
    try:
        start = time.thread_time()
        result = work()
        spent = time.thread_time() - start
    finally:
        gc.enable()
    del result
    return spent


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> list[dict[str, float]]:
    """Let each side measure itself once per round, beginning with another one each time."""
    names = list(sides)
    turns = []
    for number in range(rounds):
        first = number % len(names)
        turns.append({name: sides[name]() for name in names[first:] + names[:first]})
    return turns


def middle(turns: Sequence[Mapping[str, float]], side: str) -> float:
    """Median seconds of one side."""
    return median(turn[side] for turn in turns)


def ratio(turns: Sequence[Mapping[str, float]], side: str, over: str) -> float:
    """Median of the ratios of two sides, each taken within one round."""
    return median(turn[side] / turn[over] for turn in turns)


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that is over: its status (negative: the signal that ended it), output and cost."""

    status: int
    output: str
    errors: str
    cpu: float
    peak_mib: float

    @property
    def facts(self) -> dict[str, Any]:
        """The JSON object in the last line of its output; empty where it did not get that far."""
        lines = self.output.strip().splitlines()
        return json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}


def run_process(command: Sequence[str], *, cwd: Path | None = None, limit: float = 180) -> Ended:
    """Run a process to its end, or to its limit in seconds, and take its cost from `wait4`."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        process = subprocess.Popen(  # `wait4` below waits for it
            command, cwd=cwd, env=environment, stdout=output, stderr=errors
        )
        alarm = Timer(limit, process.kill)
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        return Ended(
            status=process.returncode,
            output=output.read(),
            errors=errors.read(),
            cpu=usage.ru_utime + usage.ru_stime,
            peak_mib=usage.ru_maxrss / 1024,
        )


def own_part(script: str, *arguments: str, limit: float = 180) -> Ended:
    """Run a part of a benchmark in a process of its own."""
    return run_process([sys.executable, str(HERE / script), *arguments], limit=limit)


def installed(package: str) -> bool:
    """Tell whether a peer can be compared with here."""
    return find_spec(package) is not None


def peak_reset() -> bool:
    """Let the system forget this process's highest memory use so far, where it can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def memory(which: str) -> int:
    """Bytes from `/proc/self/status`: `VmRSS` is what is used now, `VmHWM` the most since reset."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(which + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(which)


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = ["| what | bar | measured | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.bar} | {row.measured} | {row.verdict} |" for row in rows]
    return "\n".join(lines)


def report(rows: Sequence[Row]) -> None:
    """Print the table; a script that measured something over its bar still ends with status 0."""
    print(table(rows))
