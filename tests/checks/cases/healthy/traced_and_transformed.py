"""What is traced is as without a watch, and wrapped tensors of a transform have no memory."""

import torch
from torch import nn
from torch.func import hessian

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
opt = torch.optim.SGD(net.parameters(), 0.1)
x = torch.randn(6, 4)
gate = torch.log(torch.tensor([0.0, 1.0])).softmax(0)
for _ in range(3):
    loss = (net(x) * gate).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
traced = torch.jit.trace(net.eval(), x)
assert torch.equal(traced(x), net(x))
assert hessian(lambda one: net(one).sum())(x[0]).shape == (4, 4)
