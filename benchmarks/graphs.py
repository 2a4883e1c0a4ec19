"""Graphs to measure on, each the same in every run; the tensors in them are small."""

from __future__ import annotations

from collections.abc import Callable

import torch
from gpt import GPT
from torch import nn
from torch.nn import functional


def gpt(nodes: int) -> torch.Tensor:
    """Make the losses of micro-batches through one GPT of 12 layers, added up."""
    torch.manual_seed(0)
    model = GPT(width=8, words=16, length=4)
    tokens = torch.arange(5).repeat(1, 1)
    losses = [
        functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        for _ in range(max(nodes // 640, 1))
    ]
    return torch.stack(losses).sum()


def lstm(nodes: int) -> torch.Tensor:
    """Run sequences of 50 steps through one LSTM cell: its four leaves have many users."""
    torch.manual_seed(0)
    cell = nn.LSTMCell(4, 4)
    ends = []
    for _ in range(max(nodes // 752, 1)):
        state = (torch.zeros(1, 4), torch.zeros(1, 4))
        for _ in range(50):
            state = cell(torch.ones(1, 4), state)
        ends.append(state[0])
    return torch.stack(ends).sum()


def wide(nodes: int) -> torch.Tensor:
    """Stack many short branches."""
    x = torch.ones(1, requires_grad=True)
    return torch.stack([x.sin().exp() for _ in range(nodes // 2)]).sum()


def pairs(nodes: int) -> torch.Tensor:
    """Climb a ladder of products and sums: two edges per node, and half as deep as it has nodes."""
    x = torch.ones(1, requires_grad=True)
    a, b = x * 2, x * 3
    for _ in range(nodes // 2 - 2):
        a, b = a * b, a + b
    return (a + b).sum()


def chain(nodes: int) -> torch.Tensor:
    """Put one operation after another."""
    x = torch.ones(1, requires_grad=True)
    for _ in range(nodes - 1):
        x = x * 1.0
    return x


SHAPES: dict[str, Callable[[int], torch.Tensor]] = {
    "gpt": gpt,
    "lstm": lstm,
    "wide": wide,
    "pairs": pairs,
    "chain": chain,
}
