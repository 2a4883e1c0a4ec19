import torch
from torch import nn
def make(n):
    return nn.Parameter(torch.randn(n)) * 0.01  # <<
v = make(4)
o = torch.optim.Adam([v], lr=.1)  # <<
