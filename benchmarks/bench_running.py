"""A training script under `agi trace` and under other tools, beside the same under python."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure import HERE, Ended, Row, installed, own_part, report, run_process

#: Steps and rounds by width; the first two steps warm up, the fifth is captured.
RUNS = {64: (60, 3), 512: (9, 2)}
WARM, CAPTURED = 2, 5
SCRIPT = HERE / "gpt.py"

#: How agi may watch, and how much longer forward, backward and capture may then take, by width.
LEVELS: dict[str, tuple[tuple[str, ...], dict[int, float]]] = {
    "agi --no-record": (("--no-record",), {}),
    "agi": ((), {64: 1.6, 512: 1.05}),
    "agi --watch": (("--watch",), {64: 2.2, 512: 1.15}),
}
OTHERS = {"anomaly mode": "anomaly", "torch.profiler": "profiler", "TorchLens": "torchlens"}

Turns = Sequence[Mapping[str, Ended]]


def commands(width: int) -> dict[str, list[str]]:
    """Run the script to its end: as it is, under agi with one capture, under the other tools."""
    script = [str(SCRIPT), str(width), str(RUNS[width][0])]
    plain = [sys.executable, *script]
    trace = [sys.executable, "-m", "autograd_inspect", "trace", "-q", "--keep-running"]
    target = ["--step", str(CAPTURED), "--force", "-o", "x.agi", f"{SCRIPT}:loss", *script[1:]]
    few = [*plain[:-1], str(min(RUNS[width][0], 9))]  # TorchLens takes a second for a small step
    others = {name: word for name, word in OTHERS.items() if name != "TorchLens" or _has_peer()}
    return {
        "python": plain,
        **{name: [*trace, *options, *target] for name, (options, _) in LEVELS.items()},
        **{name: [*few, word] for name, word in others.items()},
    }


def rows_for(width: int, rounds: int) -> Iterator[Row]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        turns = [
            {side: run_process(command, cwd=folder) for side, command in commands(width).items()}
            for _ in range(rounds)
        ]
    what = f"width {width}"
    failed = [end for turn in turns for end in turn.values() if end.status or not end.facts]
    if failed:
        yield Row(what, "", f"status {failed[0].status}: {failed[0].errors.strip()[-80:]}")
        return
    step = median(usual(turn["python"]) for turn in turns)
    yield Row(f"{what}: a step under python", "stated", f"{step * 1e3:.1f} ms")
    for side, (_, bars) in LEVELS.items():
        yield from _rows_of(what, side, turns, bars.get(width))
    for side in OTHERS:
        if side in turns[0]:
            slower = median(usual(turn[side]) / usual(turn["python"]) for turn in turns)
            yield Row(f"{what}, {side}: every step", "stated", f"{slower:.2f}x")
        else:
            yield Row(f"{what}, {side}: every step", "stated", "not installed")


def _rows_of(what: str, side: str, turns: Turns, bar: float | None) -> Iterator[Row]:
    all_steps = median(total(turn[side]) / total(turn["python"]) for turn in turns)
    watched = median(usual(turn[side]) / usual(turn["python"]) for turn in turns)
    extra = median(at_capture(turn[side]) - usual(turn[side]) for turn in turns)
    yield Row(
        f"{what}, {side}: {len(turns[0][side].facts['spent']) - WARM} steps, one captured",
        f"<= {bar}x" if bar else "stated",
        f"{all_steps:.2f}x",
        all_steps <= bar if bar else None,
    )
    yield Row(
        f"{what}, {side}: a step without a capture; what the capture adds",
        "stated",
        f"{watched:.2f}x; {extra * 1e3:+.0f} ms once",
    )


def usual(ended: Ended) -> float:
    """Give the median step, without the first ones (warming up) and the one captured."""
    spent = ended.facts["spent"]
    return median(spent[WARM : CAPTURED - 1] + spent[CAPTURED:])


def total(ended: Ended) -> float:
    """Give the seconds of forward, backward and capture, all steps but the first ones."""
    return sum(ended.facts["spent"][WARM:])


def at_capture(ended: Ended) -> float:
    return float(ended.facts["spent"][CAPTURED - 1])


def turns_rows() -> Iterator[Row]:
    """Compare steps with and without the recorder by turns in one process, without a capture."""
    for width in RUNS:
        found = own_part("recorded_steps.py", str(width)).facts
        for side, name in {"light": "agi", "watch": "agi --watch"}.items():
            bar = LEVELS[name][1][width]
            yield Row(
                f"width {width}, {name}: steps by turns in one process",
                f"<= {bar}x",
                f"{found[side]:.2f}x",
                found[side] <= bar,
            )


def memory_rows() -> Iterator[Row]:
    """Say how much a process grows by what is remembered of each node."""
    sides = {side: own_part("held_nodes.py", side) for side in ("none", "light", "watch")}
    held = {side: ended.facts["bytes"] for side, ended in sides.items()}
    for side in ("light", "watch"):
        per_node = held[side] - held["none"]
        yield Row(f"memory per node, {side}", "stated", f"{per_node:.0f} bytes more than without")


def _has_peer() -> bool:
    return installed("torchlens")


def rows() -> list[Row]:
    timed = [row for width, (_, rounds) in RUNS.items() for row in rows_for(width, rounds)]
    return [*timed, *turns_rows(), *memory_rows()]


if __name__ == "__main__":
    report(rows())
