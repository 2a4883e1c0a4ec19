import copy

import torch
from torch import nn


class BYOL(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Linear(3, 3)
        self.target = copy.copy(self.online)  # <<
        self.pred = nn.Linear(3, 3)

    def forward(self, a, b):
        with torch.no_grad():
            t = self.target(b)
        return (self.pred(self.online(a)) - t).pow(2).mean()


torch.manual_seed(0)
m = BYOL()
opt = torch.optim.SGD(m.parameters(), 0.1)
for _ in range(3):
    loss = m(torch.randn(4, 3), torch.randn(4, 3))
    opt.zero_grad()
    loss.backward()
    opt.step()
