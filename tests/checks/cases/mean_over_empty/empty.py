import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 2)
x = torch.randn(6, 3)
labels = torch.tensor([0, 0, 0, 0, 0, 0])
out = net(x)
pos = out[labels == 1]
loss = out.pow(2).mean() + (1 - pos).pow(2).mean()  # <<
loss.backward()
