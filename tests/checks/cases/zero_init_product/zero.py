import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(4))  # <<
        self.u = nn.Parameter(torch.zeros(4))  # <<

    def forward(self, x):
        return x + self.alpha * self.u  # <<


g = Gate()
opt = torch.optim.SGD(g.parameters(), 0.1)
for _ in range(3):
    loss = (g(torch.randn(5, 4)) - 1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
