"""A gradient inside a loss: create_graph records the backward, so that it can be derived again.

Try:
    agi trace samples/double_backward.py
    agi trace samples/double_backward.py:loss
    agi grads

Look at: the first command captures the first backward call, autograd.grad on `score`. The second
captures `loss`, a penalty on the length of that gradient: its graph goes through the operations of
the first backward (TanhBackwardBackward0 and the like) and through the forward ones.
"""

import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
point = torch.randn(5, 3, requires_grad=True)

score = critic(point).sum()
(slope,) = torch.autograd.grad(score, point, create_graph=True)
loss = (slope.norm(dim=1) - 1).square().mean()
loss.backward()
print(f"loss {loss.item():.4f}, gradient {critic[0].weight.grad.norm():.4f}")
