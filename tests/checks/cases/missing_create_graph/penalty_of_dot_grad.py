import torch
from torch import nn
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    x = torch.randn(4, 3, requires_grad=True)
    y = net(x).tanh()
    y.sum().backward(retain_graph=True)  # <<
    loss = y.pow(2).mean() + (x.grad.norm(dim=1) - 1).pow(2).mean()  # <<
    opt.zero_grad(); loss.backward(); opt.step()
