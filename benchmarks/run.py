"""Run all benchmarks and write `results.md`: `python benchmarks/run.py`, in about ten minutes.

Each script runs in a process of its own; one after the other, so that none disturbs another.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from measure import HERE

SCRIPTS = {
    "bench_walk.py": "The walk against a bare loop over next_functions",
    "bench_dot.py": "Graph to DOT against the peers; a million nodes",
    "bench_captures.py": "Capture files, and commands that need no torch",
    "bench_running.py": "A training script under agi trace against plain python",
    "bench_probes.py": "Probes on every node of a backward",
    "bench_training.py": "A training script under agi train against plain python",
    "bench_diff.py": "Large graphs against each other",
    "bench_profile.py": "Timing a step, against torch's own profiler",
    "bench_check.py": "A training script under agi check against plain python",
    "bench_viewer.py": "The page of agi render --html in Chromium",
    "bench_pictures.py": "Pictures of the models in zoo/: size of text, overlaps, time, totals",
}


def machine() -> str:
    packages = ("torch", "numpy", "torchviz", "torchlens")
    told = [f"{name} {_version(name)}" for name in packages]
    facts = [f"{os.cpu_count()} cores", _processor(), f"Python {platform.python_version()}", *told]
    return ", ".join(filter(None, facts))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Name the processor where the system tells; `platform.processor` is empty on most Linuxes."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def main() -> int:
    parts = [
        "# Results\n",
        f"{datetime.now(timezone.utc):%Y-%m-%d}, {machine()}.",
        "What the rows mean is in [README.md](README.md).\n",
    ]
    failed = 0
    for script, title in SCRIPTS.items():
        print(f"{script} ...", file=sys.stderr, flush=True)
        ended = subprocess.run(
            [sys.executable, str(HERE / script)], capture_output=True, text=True, check=False
        )
        failed += bool(ended.returncode)
        body = ended.stdout.strip() or f"failed with status {ended.returncode}"
        if ended.returncode:
            print(ended.stderr, file=sys.stderr)
        parts.append(f"## {title}\n\n`python benchmarks/{script}`\n\n{body}\n")
    (HERE / "results.md").write_text("\n".join(parts), encoding="utf-8")
    print((HERE / "results.md").read_text(encoding="utf-8"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
