import torch
from torch import nn

net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)


def derivative(f, x):
    return torch.autograd.grad(f.sum(), x, create_graph=True)[0]


for _ in range(3):
    x = torch.rand(6, requires_grad=True)
    t = torch.rand(6, requires_grad=True)
    u = net(torch.stack([x, t], 1)).squeeze(1)
    residual = derivative(derivative(u, t), t) - derivative(derivative(u, x), x)
    optimizer.zero_grad()
    (residual.square().mean() + (u - x).square().mean()).backward()
    optimizer.step()
