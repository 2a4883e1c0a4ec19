"""Parameters without a gradient: one layer is never used, one is frozen, one is behind a detach.

Try:
    agi grads samples/unused_parameters.py:loss
    agi grads --fail-on none    # exits with 1

Look at: `spare` and `cut` are not reached from the loss, `frozen` has requires_grad off, `dead` is
reached but its gradient is all zero. `--fail-on none` names those that should have one and have
none; a frozen layer is no fault.
"""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.cut = nn.Linear(8, 8)
        self.dead = nn.Linear(8, 8)
        self.spare = nn.Linear(8, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        x = self.cut(self.frozen(x)).detach()
        return self.head(x + (self.dead(x) - 100).relu())


torch.manual_seed(0)
net = Net()
loss = net(torch.randn(4, 8)).mean()
loss.backward()
for name, parameter in net.named_parameters():
    print(f"{name:14} {'no gradient' if parameter.grad is None else 'gradient'}")
