"""Twenty layers of sigmoid: the gradient loses three quarters of its size, or more, at each.

Try:
    agi trace samples/vanishing.py:loss
    agi grads --nodes --sort +norm --top 5
    agi render --svg --color grad

Look at: the column of gradients. The derivative of a sigmoid is at most 1/4, so that hardly anything
of the loss arrives at the first layers; the picture fades from the root to the leaves.
"""

import torch
from torch import nn

torch.manual_seed(0)
layers = [layer for _ in range(20) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
net = nn.Sequential(*layers, nn.Linear(16, 1))
loss = (net(torch.randn(32, 16)) - 1).pow(2).mean()
loss.backward()
print(f"first layer {net[0].weight.grad.norm():.1e}, last layer {net[-1].weight.grad.norm():.1e}")
