"""A training script under `agi check` and under python: its steps, and all of the process."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measure import HERE, Ended, Row, report, run_process

SCRIPT = HERE / "trained_steps.py"
#: As many as `agi check` watches unless told otherwise; the first ones warm up.
STEPS, WARM, ROUNDS, BAR = 20, 2, 3, 2.0
MODELS = {
    "12-layer GPT, width 256": ("gpt256", BAR),
    "three layers, batch 256": ("mlp", None),
    "12-layer GPT, width 64": ("gpt64", None),
}


def commands(model: str) -> dict[str, list[str]]:
    """Run the script to its end, as it is and checked."""
    script = [str(SCRIPT), model, str(STEPS)]
    agi = [sys.executable, "-m", "autograd_inspect", "check", "-q", "--steps", str(STEPS + 1)]
    return {
        "python": [sys.executable, *script],
        "agi check": [*agi, "--exit-zero", "--force", "-o", "x.json", *script],
    }


def rows_for(what: str, model: str, bar: float | None) -> Iterator[Row]:
    with TemporaryDirectory() as name:
        turns = [
            {
                side: run_process(command, cwd=Path(name), limit=400)
                for side, command in commands(model).items()
            }
            for _ in range(ROUNDS)
        ]
    failed = [end for turn in turns for end in turn.values() if end.status or not end.facts]
    if failed:
        yield Row(what, "", f"status {failed[0].status}: {failed[0].errors.strip()[-80:]}")
        return
    slower = median(spent(turn["agi check"]) / spent(turn["python"]) for turn in turns)
    step = median(spent(turn["python"]) for turn in turns) / (STEPS - WARM)
    yield Row(
        f"{what}: {STEPS} steps of {step * 1e3:.1f} ms under agi check",
        f"<= {bar}x" if bar else "stated",
        f"{slower:.2f}x",
        slower <= bar if bar else None,
    )
    whole = median(turn["agi check"].cpu / turn["python"].cpu for turn in turns)
    more = median(turn["agi check"].peak_mib - turn["python"].peak_mib for turn in turns)
    yield Row(
        f"{what}: the whole process; its peak memory", "stated", f"{whole:.2f}x; +{more:.0f} MiB"
    )


def spent(ended: Ended) -> float:
    """Seconds of all steps but the first."""
    steps: Sequence[float] = ended.facts["spent"]
    return sum(steps[WARM:])


def main() -> None:
    report([row for what, model in MODELS.items() for row in rows_for(what, *model)])


if __name__ == "__main__":
    main()
