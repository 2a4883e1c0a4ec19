import torch
from torch import nn
m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
for p in m.parameters():
    p.requires_grad = False
m[2] = nn.Linear(4, 2)
o = torch.optim.SGD(m[2].parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
