import torch
from torch import nn

torch.manual_seed(0)
a = nn.Linear(3, 3)
b = nn.Linear(3, 1)
h = torch.tanh(a(torch.randn(4, 3)))
out = b(h)
h.data.mul_(0.5)  # <<
loss = out.pow(2).mean()
loss.backward()
