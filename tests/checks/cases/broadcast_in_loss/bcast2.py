import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
crit = nn.SmoothL1Loss()
x = torch.randn(16, 4)
y = x.sum(1, keepdim=True)
loss = crit(net(x), y)  # <<
loss.backward()
