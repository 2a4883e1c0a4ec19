"""A small GPT, and a training script of the ordinary kind: `python gpt.py WIDTH STEPS [UNDER]`.

The script knows nothing of agi. It clocks forward and backward of each step itself and prints the
CPU seconds as JSON in its last line. UNDER puts the steps under another tool: `anomaly` (torch's
anomaly mode, without its check for NaN), `profiler` (torch's) or `torchlens`.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Attention and a feed-forward part, both around a residual connection."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.merged = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix each place with those before it, then think about it."""
        batch, length, width = x.shape
        parts = self.mixed(self.norm_1(x)).split(width, dim=2)
        shape = (batch, length, self.heads, width // self.heads)
        query, key, value = (part.view(shape).transpose(1, 2) for part in parts)
        scores = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(hidden, float("-inf")).softmax(dim=3)
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.merged(mixed)
        return x + self.down(functional.gelu(self.up(self.norm_2(x))))


class GPT(nn.Module):
    """Twelve blocks between an embedding and a head, with positions learned."""

    def __init__(self, width: int, words: int, length: int, layers: int = 12) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Give the logits of the next word at each place."""
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


#: By width: words, length of a sequence, sequences in a batch.
SIZES = {64: (256, 32, 2), 512: (8192, 128, 4)}


def train(width: int, steps: int, under: str = "") -> list[float]:
    words, length, batch = SIZES[width]
    torch.manual_seed(0)
    model = GPT(width, words, length)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    spent = []
    for _ in range(steps):
        tokens = torch.randint(words, (batch, length + 1))
        look = looked_at(model, tokens[:, :-1]) if under == "torchlens" else 0.0
        start = time.process_time()
        with watching(under):
            logits = model(tokens[:, :-1])
            forward = time.process_time() - start
            loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            loss.backward()
        spent.append(time.process_time() - start + (look - forward if look else 0.0))
        optimizer.step()
        optimizer.zero_grad()
    return spent


def watching(under: str) -> AbstractContextManager[object]:
    if under == "anomaly":
        return torch.autograd.set_detect_anomaly(True, check_nan=False)
    if under == "profiler":
        return torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
    return nullcontext()


def looked_at(model: GPT, tokens: torch.Tensor) -> float:
    """Give the seconds of a forward under TorchLens, which takes the place of the plain one."""
    import torchlens

    start = time.process_time()
    torchlens.trace(model, tokens)
    return time.process_time() - start


if __name__ == "__main__":
    torch.set_num_threads(1)
    width, steps = map(int, sys.argv[1:3])
    print(json.dumps({"spent": train(width, steps, *sys.argv[3:])}))
