import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), 0.01)


def train(n):
    for _ in range(n):
        loss = net(torch.randn(8, 4)).pow(2).mean()
        loss.backward()  # <<
        opt.step()


train(6)
