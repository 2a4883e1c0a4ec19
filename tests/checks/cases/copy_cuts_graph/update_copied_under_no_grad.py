import torch
from torch import nn
net = nn.Linear(3, 1)
rates = [torch.full_like(p, 0.1, requires_grad=True) for p in net.parameters()]
opt = torch.optim.SGD(rates, lr=0.1)
for _ in range(3):
    grads = torch.autograd.grad(net(torch.randn(4, 3)).pow(2).mean(), list(net.parameters()))
    with torch.no_grad():
        for p, g, rate in zip(net.parameters(), grads, rates):
            p.copy_(p - rate * g)  # <<
    loss = net(torch.randn(4, 3)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
