"""What probes on every node cost a backward: `python benchmarks/bench_probes.py`.

Backward of the small GPT, by turns in one process: plain, at each level of probing, in torch's
anomaly mode with its check for NaN, and under torch.profiler. Registering the hooks counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from gpt import GPT, SIZES
from measure import Row, clock, own_part, ratio, report, take_turns
from torch.nn import functional

from autograd_inspect.autograd.probes import Probes
from autograd_inspect.autograd.walker import Walk, walk
from autograd_inspect.model.levels import Probe

ROUNDS = {64: 41, 512: 9}
BARS = {Probe.TIMES: 1.05, Probe.NORMS: 1.25, Probe.NODES: 2.5}
WHAT = {
    Probe.TIMES: "time per node",
    Probe.NORMS: "norms and finiteness as well",
    Probe.NODES: "everything: maxima and zeros as well",
}


def measure(width: int) -> dict[str, float]:
    """Give the ratio of each side to the plain backward."""
    words, length, batch = SIZES[width]
    torch.manual_seed(0)
    model = GPT(width, words, length)
    tokens = torch.randint(words, (batch, length))

    def backward(under: Callable[[Walk], AbstractContextManager[object]]) -> float:
        logits = model(tokens).flatten(0, 1)
        loss = functional.cross_entropy(logits, tokens.flatten())
        walked = walk([loss])
        model.zero_grad()

        def work() -> None:
            with under(walked):
                loss.backward()

        return clock(work)

    sides: dict[str, Callable[[], float]] = {"plain": lambda: backward(lambda _: nullcontext())}
    for level in BARS:
        sides[level.value] = lambda level=level: backward(lambda walked: Probes(walked, level))
    sides["profiler"] = lambda: backward(lambda _: profiler())
    for side in sides.values():
        side()
    turns = take_turns(sides, ROUNDS[width])
    found = {name: ratio(turns, name, "plain") for name in sides}
    return found | {"anomaly": anomaly(model, tokens, ROUNDS[width])}


def profiler() -> AbstractContextManager[object]:
    return torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])


def anomaly(model: GPT, tokens: torch.Tensor, rounds: int) -> float:
    """Compare a backward that looks for NaN; the forward has to know of it, too."""

    def backward(*, on: bool) -> float:
        with torch.autograd.set_detect_anomaly(on):
            loss = functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
            model.zero_grad()
            return clock(loss.backward)

    sides = {"on": lambda: backward(on=True), "off": lambda: backward(on=False)}
    return ratio(take_turns(sides, rounds), "on", "off")


def main() -> None:
    rows = []
    for width, size in ((512, "realistic: width 512"), (64, "tiny: width 64")):
        ended = own_part("bench_probes.py", str(width), limit=600)
        found = ended.facts
        for level, bar in BARS.items():
            what = f"backward, 12 layers, {size}: {WHAT[level]}"
            held = f"<= {bar}x plain" if width == 512 else "stated"
            met = found[level.value] <= bar if width == 512 else None
            rows.append(Row(what, held, f"{found[level.value]:.2f}x", met))
        rows += [
            Row(f"backward, 12 layers, {size}: {name}", "stated", f"{found[side]:.2f}x")
            for side, name in (
                ("anomaly", "torch's anomaly mode"),
                ("profiler", "torch.profiler"),
            )
        ]
    report(rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        torch.set_num_threads(1)
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
