import torch
from torch import nn

torch.manual_seed(0)
mean, variance = nn.Linear(3, 1), nn.Sequential(nn.Linear(3, 1), nn.Softplus())
opt = torch.optim.Adam([*mean.parameters(), *variance.parameters()])
x = torch.randn(24, 3)
y = x.sum(1)
for _ in range(2):
    loss = nn.functional.gaussian_nll_loss(mean(x), y, variance(x))  # <<
    opt.zero_grad()
    loss.backward()
    opt.step()
