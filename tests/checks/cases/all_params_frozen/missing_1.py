import torch
from torch import nn
def build():
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
    m[2] = nn.Linear(4, 2)
    for p in m.parameters():
        p.requires_grad = False  # <<
    return m
m = build()
o = torch.optim.SGD(m.parameters(), lr=.1)
loss = m(torch.randn(3, 3)).pow(2).mean()
loss.backward()
