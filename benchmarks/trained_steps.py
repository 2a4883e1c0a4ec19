"""A training script of the ordinary kind: `python trained_steps.py MODEL STEPS`.

The script knows nothing of agi. MODEL is `mlp` (three layers, a batch of 256), `gpt64` or `gpt256`
(twelve layers). It clocks each step itself, reads its own resident memory after each, and prints
both as JSON in its last line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import torch
from gpt import GPT
from measure import memory
from torch import nn
from torch.nn import functional

#: Of a GPT: width, words, length of a sequence, sequences in a batch.
SIZES = {"gpt64": (64, 256, 32, 2), "gpt256": (256, 1024, 64, 4)}


def mlp() -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    model = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )

    def loss() -> torch.Tensor:
        return functional.cross_entropy(model(torch.randn(256, 784)), torch.randint(10, (256,)))

    return model, loss


def gpt(
    width: int, words: int, length: int, batch: int
) -> tuple[nn.Module, Callable[[], torch.Tensor]]:
    model = GPT(width, words, length)

    def loss() -> torch.Tensor:
        tokens = torch.randint(words, (batch, length + 1))
        logits = model(tokens[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())

    return model, loss


def train(name: str, steps: int) -> dict[str, list[float]]:
    torch.manual_seed(0)
    model, loss_of = mlp() if name == "mlp" else gpt(*SIZES[name])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    spent, resident = [], []
    for _ in range(steps):
        start = time.process_time()
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent.append(time.process_time() - start)
        resident.append(memory("VmRSS") / 2**20)
    return {"spent": spent, "resident": resident}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(train(sys.argv[1], int(sys.argv[2]))))
