import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 2)
y = torch.randn(8, 2)
y[2, 1] = torch.nan
err = (net(torch.randn(8, 3)) - y).square()  # <<
torch.nanmean(err).backward()  # <<
