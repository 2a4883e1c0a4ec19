"""A training script under `agi trace`, beside the same script under python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from gpt import SIZES
from measure import HERE, Ended, Row, report, run_process

STEPS, CAPTURED = 9, 5
SCRIPT = HERE / "gpt.py"


def commands(width: int) -> dict[str, list[str]]:
    """Run the script; run it to its end with a capture at one step."""
    trace = [sys.executable, "-m", "autograd_inspect", "trace", "-q", "--step", str(CAPTURED)]
    script = [str(SCRIPT), str(width), str(STEPS)]
    output = ["--force", "-o", "running.agi"]
    return {
        "python": [sys.executable, *script],
        "agi": [*trace, "--keep-running", *output, f"{SCRIPT}:loss", *script[1:]],
    }


def rows_for(width: int, rounds: int) -> Iterator[Row]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        turns = [
            {side: run_process(command, cwd=folder) for side, command in commands(width).items()}
            for _ in range(rounds)
        ]
    what = f"GPT of 12 layers, width {width}"
    failed = [end for turn in turns for end in turn.values() if end.status or not end.facts]
    if failed:
        yield Row(what, "", f"status {failed[0].status}: {failed[0].errors.strip()[-80:]}")
        return
    watched = median(usual(turn["agi"]) / usual(turn["python"]) for turn in turns)
    captured = median(at_capture(turn["agi"]) / usual(turn["python"]) for turn in turns)
    extra = median(at_capture(turn["agi"]) - usual(turn["python"]) for turn in turns)
    step = median(usual(turn["python"]) for turn in turns)
    whole = median(turn["agi"].cpu / turn["python"].cpu for turn in turns)
    more = median(turn["agi"].cpu - turn["python"].cpu for turn in turns)
    yield Row(
        f"{what}: forward and backward, steps without a capture",
        "stated",
        f"{watched:.2f}x plain python ({step * 1e3:.1f} ms a step)",
    )
    yield Row(
        f"{what}: forward and backward, the step captured",
        "stated",
        f"{captured:.2f}x plain python ({extra * 1e3:+.1f} ms once: walk, gradients, file)",
    )
    yield Row(
        f"{what}: whole process, {STEPS} steps",
        "stated",
        f"{whole:.2f}x plain python ({more:+.2f} s CPU)",
    )


def usual(ended: Ended) -> float:
    """Give the median step, without the first ones (warming up) and the one captured."""
    spent = ended.facts["spent"]
    return median(spent[2 : CAPTURED - 1] + spent[CAPTURED:])


def at_capture(ended: Ended) -> float:
    return float(ended.facts["spent"][CAPTURED - 1])


def rows() -> list[Row]:
    rounds = dict(zip(SIZES, (5, 3), strict=True))
    return [row for width in SIZES for row in rows_for(width, rounds[width])]


if __name__ == "__main__":
    report(rows())
