import torch
from torch import nn

torch.manual_seed(0)
W = nn.Parameter(torch.randn(32, 32) * 0.5)
h = torch.randn(4, 32) * 1e-3
for _t in range(40):
    h = h @ W  # <<
loss = h.pow(2).mean()
loss.backward()
