import torch
from torch import nn
from torch.nn.utils import clip_grad_value_

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.Adam(net.parameters(), 0.01)
for _ in range(4):
    opt.zero_grad()
    loss = net(torch.randn(8, 4)).pow(2).mean()
    loss.backward()
    opt.step()
    clip_grad_value_(net.parameters(), 1e-4)  # <<
