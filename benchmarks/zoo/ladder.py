"""Loops in loops without modules: twelve layers, in each three rounds of two halves."""

import torch

torch.manual_seed(0)
weights = [(torch.randn(2, 8, 8) / 8).requires_grad_() for _ in range(12)]
x = torch.randn(4, 8)
for weight in weights:
    kept = x
    for _ in range(3):
        for half in weight:
            x = torch.tanh(x @ half)
        x = x + kept
    x = x / x.norm()
loss = x.square().sum()
loss.backward()
