"""A training script under `agi train` and under python: time of its steps, memory over them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from measure import HERE, Ended, Row, report, run_process

SCRIPT = HERE / "trained_steps.py"
STEPS, ROUNDS, BAR = 200, 2, 1.3
#: Steps, by model; the first ones warm up.
MODELS = {
    "three layers, batch 256": ("mlp", STEPS, BAR),
    "12-layer GPT, width 256": ("gpt256", 40, BAR),
    "12-layer GPT, width 64": ("gpt64", STEPS, None),
}
WARM, LAST = 10, 50

Turns = Sequence[Mapping[str, Ended]]


def commands(model: str, steps: int) -> dict[str, list[str]]:
    """Run the script to its end, as it is and watched all along."""
    script = [str(SCRIPT), model, str(steps)]
    agi = [sys.executable, "-m", "autograd_inspect", "train", "-q", "--steps", str(steps)]
    return {
        "python": [sys.executable, *script],
        "agi train": [*agi, "--keep-running", "--json", "--force", "-o", "x.json", *script],
    }


def rows_for(what: str, model: str, steps: int, bar: float | None) -> Iterator[Row]:
    with TemporaryDirectory() as name:
        turns = [
            {
                side: run_process(command, cwd=Path(name), limit=400)
                for side, command in commands(model, steps).items()
            }
            for _ in range(ROUNDS)
        ]
    failed = [end for turn in turns for end in turn.values() if end.status or not end.facts]
    if failed:
        yield Row(what, "", f"status {failed[0].status}: {failed[0].errors.strip()[-80:]}")
        return
    slower = median(spent(turn["agi train"]) / spent(turn["python"]) for turn in turns)
    step = median(spent(turn["python"]) for turn in turns) / (steps - WARM)
    yield Row(
        f"{what}: {steps} steps of {step * 1e3:.1f} ms under agi train",
        f"<= {bar}x" if bar else "stated",
        f"{slower:.2f}x",
        slower <= bar if bar else None,
    )
    yield from _memory_rows(what, turns)


def _memory_rows(what: str, turns: Turns) -> Iterator[Row]:
    """Compare the memory of the last steps with that of the first ones after warming up."""
    for side in ("python", "agi train"):
        grown = median(_last(turn[side]) - _first(turn[side]) for turn in turns)
        more = median(_first(turn[side]) - _first(turn["python"]) for turn in turns)
        flat = abs(grown) < 0.02 * _first(turns[0][side])
        yield Row(
            f"{what}, {side}: resident memory, last steps against first; against python",
            "flat (< 2%)" if side != "python" else "stated",
            f"{grown:+.1f} MiB; {more:+.0f} MiB",
            flat if side != "python" else None,
        )


def spent(ended: Ended) -> float:
    """Give the CPU seconds of all steps but the first ones."""
    return float(sum(ended.facts["spent"][WARM:]))


def _first(ended: Ended) -> float:
    resident = ended.facts["resident"][WARM:]
    return fmean(resident[: min(LAST, len(resident) // 3)])


def _last(ended: Ended) -> float:
    resident = ended.facts["resident"][WARM:]
    return fmean(resident[-min(LAST, len(resident) // 3) :])


def rows() -> list[Row]:
    return [row for what, facts in MODELS.items() for row in rows_for(what, *facts)]


if __name__ == "__main__":
    report(rows())
