import torch
from torch import nn

gate = nn.Parameter(torch.tensor([-60.0, -80.0]))


def f(x):
    return x * torch.sigmoid(gate)  # <<


loss = (f(torch.ones(2)) - 1).pow(2).sum()
loss.backward()
