import torch
from torch import nn

w = nn.Parameter(torch.zeros(2, 3))
n = w.norm(dim=1, keepdim=True)
d = w / n  # <<
d.sum().backward()
