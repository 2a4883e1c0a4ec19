"""Capture files of a million nodes; how light the commands are that need no torch."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure import Row, own_part, report, run_process

NODES = 1_000_000
LOAD_BAR = 1.0
#: 0.35 s of CPU where an empty python takes 0.02.
HELP_BAR = 0.35 / 0.02
SMALL = "import autograd_inspect, torch; x = torch.ones(3, requires_grad=True)"
SAVE_LAST = """
from pathlib import Path
from autograd_inspect import store
place = store.captures_dir(Path.cwd())
store.save(autograd_inspect.trace((x * x).sum()), store.new_path(place, "small"))
"""
RUN_AND_TELL = """
import sys
from autograd_inspect.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    said = "imported" if "torch" in sys.modules else "not imported"
    print(f"torch {said}, status {end.code or 0}", file=sys.stderr)
"""


def file_rows(folder: Path) -> Iterator[Row]:
    path = folder / "million.agi"
    made = own_part("bench_captures.py", "--make", str(path)).facts
    size = path.stat().st_size
    nodes, edges = made["nodes"], made["edges"]
    yield Row(
        f"write a capture of {nodes:,} nodes and {edges:,} edges",
        "stated",
        f"{made['cpu']:.2f} s CPU, {made['wall']:.2f} s wall; {size / 2**20:.1f} MiB, "
        f"{size / nodes:.1f} bytes per node",
    )
    loads = [own_part("bench_captures.py", "--load", str(path)) for _ in range(5)]
    cpu, wall, floor = (median(one.facts[key] for one in loads) for key in ("cpu", "wall", "floor"))
    yield Row(
        f"load it ({made['saved']:,} saved tensors come with it)",
        f"< {LOAD_BAR:.0f} s CPU",
        f"{cpu:.2f} s CPU, {wall:.2f} s wall; {cpu / floor:.1f}x inflating its members alone; "
        f"peak {median(one.peak_mib for one in loads):.0f} MiB",
        cpu < LOAD_BAR,
    )


def make(path: Path) -> None:
    """Trace and save a graph of two edges per node; print what the saving took."""
    from graphs import pairs

    import autograd_inspect

    capture = autograd_inspect.trace(pairs(NODES))
    cpu, wall = time.process_time(), time.perf_counter()
    capture.save(path)
    facts = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    graph = capture.graph
    counts = {"nodes": len(graph), "edges": graph.edge_count, "saved": len(graph.saved_table.node)}
    print(json.dumps(facts | counts))


def load(path: Path) -> None:
    """Load a capture; print what that took, and what inflating the file's members takes."""
    from autograd_inspect import store

    start, wall = time.process_time(), time.perf_counter()
    capture = store.load(path)
    facts = {"cpu": time.process_time() - start, "wall": time.perf_counter() - wall}
    assert len(capture.graph) >= NODES
    assert "torch" not in sys.modules
    start = time.process_time()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            archive.read(name)
    print(json.dumps(facts | {"floor": time.process_time() - start}))


def torch_rows(folder: Path) -> Iterator[Row]:
    """See whether the reading verbs, on the last capture, leave torch alone."""
    run_process([sys.executable, "-c", SMALL + SAVE_LAST], cwd=folder)
    for line in ("render --dot -o -", "render --svg -o -", "show", "grads"):
        command = [sys.executable, "-c", RUN_AND_TELL, *line.split()]
        ended = run_process(command, cwd=folder)
        told = ended.errors.strip().splitlines()[-1:]
        yield Row(
            f"agi {line}, on the last capture",
            "torch not imported",
            f"{told[0] if told else 'no answer'}; {ended.cpu:.2f} s CPU",
            told == ["torch not imported, status 0"],
        )


def help_row() -> Row:
    agi = Path(sys.executable).with_name("agi")
    command = [str(agi)] if agi.exists() else [sys.executable, "-m", "autograd_inspect"]
    sides = {"python": [sys.executable, "-c", "pass"], "agi": [*command, "--help"]}
    for side in sides.values():  # the first run of all reads from disk
        run_process(side)
    turns = [{name: run_process(side).cpu for name, side in sides.items()} for _ in range(15)]
    times = median(turn["agi"] / turn["python"] for turn in turns)
    agi_cpu, python_cpu = (median(turn[name] for turn in turns) for name in ("agi", "python"))
    return Row(
        "agi --help, whole process",
        f"<= {HELP_BAR:.1f}x `python -c pass` (0.35 s to 0.02 s)",
        f"{times:.1f}x ({agi_cpu:.3f} s to {python_cpu:.3f} s CPU)",
        times <= HELP_BAR,
    )


def rows() -> list[Row]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [*file_rows(folder), *torch_rows(folder), help_row()]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--make", path]:
            make(Path(path))
        case ["--load", path]:
            load(Path(path))
        case _:
            report(rows())
