"""Steps of the small GPT with the recorder on and off by turns: `python recorded_steps.py WIDTH`.

In one process, because two processes may run at two speeds. Prints the median ratios as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from statistics import median

import torch
from gpt import GPT, SIZES
from torch.nn import functional

import autograd_inspect as agi

ROUNDS = {64: 41, 512: 5}


def main(width: int) -> None:
    words, length, batch = SIZES[width]
    torch.manual_seed(0)
    model = GPT(width, words, length)
    tokens = torch.randint(words, (batch, length))

    def step() -> float:
        gc.collect()
        start = time.thread_time()
        logits = model(tokens).flatten(0, 1)
        functional.cross_entropy(logits, tokens.flatten()).backward()
        spent = time.thread_time() - start
        model.zero_grad()
        return spent

    step()
    ratios: dict[str, list[float]] = {"light": [], "watch": []}
    for _ in range(ROUNDS[width]):
        plain = step()
        for side, found in ratios.items():
            with agi.record(watch=side == "watch"):
                step()  # the first of a recording finds its lines
                found.append(step() / plain)
    print(json.dumps({side: median(found) for side, found in ratios.items()}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]))
