import copy

import torch
from torch import nn


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        return self.l2(torch.relu(self.l1(x)))


def main():
    torch.manual_seed(0)
    online = Q()
    target = copy.deepcopy(online)
    opt = torch.optim.Adam(online.parameters())
    for _i in range(5):
        s, s2 = torch.randn(8, 4), torch.randn(8, 4)
        y = torch.rand(8) + 0.9 * target(s2).max(1).values  # <<
        loss = (online(s)[:, 0] - y).pow(2).mean()  # <<
        opt.zero_grad()
        loss.backward()
        opt.step()


main()
