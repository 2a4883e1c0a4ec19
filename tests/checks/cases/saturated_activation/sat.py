import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
x = torch.randn(32, 3) * 1e5 + 1e6
y = torch.randn(32, 1)
opt = torch.optim.Adam(net.parameters())
for _ in range(4):
    loss = nn.functional.mse_loss(net(x), y)  # <<
    opt.zero_grad()
    loss.backward()
    opt.step()
