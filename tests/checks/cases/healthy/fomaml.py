import torch
from torch import nn
from torch.func import functional_call
net = nn.Linear(2, 1); o = torch.optim.Adam(net.parameters())
for _ in range(3):
    ps = dict(net.named_parameters())
    l = functional_call(net, ps, torch.randn(4, 2)).pow(2).mean()
    gs = torch.autograd.grad(l, list(ps.values()))
    fast = {n: p - .1 * g for (n, p), g in zip(ps.items(), gs)}
    outer = functional_call(net, fast, torch.randn(4, 2)).pow(2).mean()
    o.zero_grad(); outer.backward(); o.step()
