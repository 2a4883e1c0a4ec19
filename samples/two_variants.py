"""A model before and after a change: a norm more in each block, and a wider head.

Try:
    agi diff samples/two_variants.py:loss samples/two_variants.py:loss -- before -- after
    agi diff samples/two_variants.py:loss --exit-code    # exits with 1

Look at: the norm is one line for both blocks, though it shifts the numbers of all that follow it in
them: `blocks.0.2 → blocks.0.3`. The head is the same module with other shapes, and the summary says
what both cost in memory. The second command runs the first variant again and compares it with the
last capture, that of the second.
"""

import sys

import torch
from torch import nn


def block(changed):
    layers = [nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 16)]
    if changed:
        layers.insert(1, nn.LayerNorm(16))
    return nn.Sequential(*layers)


class Net(nn.Module):
    def __init__(self, changed):
        super().__init__()
        self.blocks = nn.ModuleList(block(changed) for _ in range(2))
        self.head = nn.Linear(16, 64 if changed else 32)
        self.out = nn.Linear(64 if changed else 32, 1)

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return self.out(self.head(x).relu())


torch.manual_seed(0)
net = Net(changed="after" in sys.argv)
loss = net(torch.randn(8, 16)).square().mean()
loss.backward()
print(f"loss {loss.item():.4f}")
