import torch
from torch import nn
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(30, 4), torch.randint(0, 2, (30, 1)).float()
for _ in range(3):
    hit = (net(x) > 0.5).float()  # <<
    loss = (hit - y).abs().mean()
    loss.requires_grad = True
    opt.zero_grad()
    loss.backward()
    opt.step()
