"""A chain of 100,000 operations: depth is no trouble.

Try:
    agi trace samples/deep_chain.py:total
    agi info

Look at: a handful of lines, since what repeats is folded, and below them the true number of nodes.
"""

import torch

start = torch.zeros(2, dtype=torch.float64, requires_grad=True)
state = start
for _ in range(50_000):
    state = state * (1 - 1e-5) + 1e-5
total = state.sum()
total.backward()
print(f"state {state[0]:.4f}, which is 1 - 1/sqrt(e); gradient {start.grad[0]:.4f}, 1/sqrt(e)")
