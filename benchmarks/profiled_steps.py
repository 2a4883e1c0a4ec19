"""Steps of the small GPT, plain and under profilers by turns: `python profiled_steps.py WIDTH`.

In one process, because two may run at two speeds. Prints as JSON the median ratios to a plain step,
also of what ending the profile and linking it to the graph take.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median

import torch
from gpt import GPT, SIZES
from measure import clock
from torch.nn import functional

import autograd_inspect as agi
from autograd_inspect.autograd.profiler import Profiler
from autograd_inspect.autograd.walker import Walk, walk
from autograd_inspect.tracing.profiling import Profiling

ROUNDS = {64: 21, 512: 4}
_UNDER = {
    "torch.profiler": {"profile_memory": False},
    "torch.profiler with memory": {"profile_memory": True},
}


def main(width: int) -> None:
    words, length, batch = SIZES[width]
    torch.manual_seed(0)
    model = GPT(width, words, length)
    tokens = torch.randint(words, (batch, length))

    def step(around: Callable[[Walk], AbstractContextManager[object]] | None = None) -> None:
        logits = model(tokens).flatten(0, 1)
        loss = functional.cross_entropy(logits, tokens.flatten())
        with around(walk([loss], saved=False)) if around else nullcontext():
            loss.backward()
        model.zero_grad()

    def timed() -> tuple[float, float, int]:
        profiling = Profiling(profiler=Profiler())
        walked: list[Walk] = []

        def around(found: Walk) -> AbstractContextManager[object]:
            walked.append(found)
            return profiling.timed(found)

        with agi.record():
            step()  # the first of a recording finds its lines
            profiling.begin_after(0)
            spent = clock(lambda: step(around))
            start = time.thread_time()
            profiling.end()
            linked = profiling.link(walked[0].graph).profile.linked
        return spent, time.thread_time() - start, linked

    step()
    ratios: dict[str, list[float]] = {name: [] for name in (*_UNDER, "agi profile")}
    ending, linked = [], 0
    for _ in range(ROUNDS[width]):
        plain = clock(step)
        for name, options in _UNDER.items():
            with torch.autograd.profiler.profile(use_kineto=True, **options):
                ratios[name].append(clock(step) / plain)
        spent, after, linked = timed()
        ratios["agi profile"].append(spent / plain)
        ending.append(after / plain)
    facts = {"steps": {name: median(found) for name, found in ratios.items()}}
    print(json.dumps({**facts, "ending": median(ending), "linked": linked}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]))
