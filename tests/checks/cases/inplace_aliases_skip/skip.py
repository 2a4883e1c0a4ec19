import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c1 = nn.Conv1d(c, c, 3, padding=1)

    def forward(self, x):
        identity = x
        out = functional.relu(x, inplace=True)  # <<
        out = self.c1(out)
        return out + identity  # <<


torch.manual_seed(0)
net = nn.Sequential(nn.Conv1d(2, 4, 1), Block(4), nn.Conv1d(4, 1, 1))
opt = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    loss = net(torch.randn(2, 2, 8)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
