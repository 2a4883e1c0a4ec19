"""A chain of 100,000 operations: depth is no trouble.

Try:
    agi trace samples/deep_chain.py:total
    agi info

Look at: a handful of lines, since what repeats is folded, and the true number of nodes below them.
"""

import torch

start = torch.zeros(2, requires_grad=True)
state = start
for _ in range(50_000):
    state = state * 0.5 + 1
total = state.sum()
total.backward()
print("the fixed point of x / 2 + 1 is 2:", state.tolist(), "gradient:", start.grad.tolist())
