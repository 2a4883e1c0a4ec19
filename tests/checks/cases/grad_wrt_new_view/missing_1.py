import torch
from torch import nn
net = nn.Linear(3, 1)
p = torch.rand(5, 3, requires_grad=True)
u = net(p).tanh()
t = p[..., 2]  # <<
g = torch.autograd.grad(u.sum(), t, create_graph=True, allow_unused=True)[0]
print(g)
