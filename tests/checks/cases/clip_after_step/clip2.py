import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), 0.01)
for _ in range(4):
    loss = net(torch.randn(8, 4) * 100).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    for p in net.parameters():
        p.grad.data.clamp_(-1, 1)  # <<
