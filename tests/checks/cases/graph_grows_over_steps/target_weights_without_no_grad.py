import torch
from torch import nn
from torch.func import functional_call

online = nn.Linear(4, 2)
target = {name: one.detach().clone() for name, one in online.named_parameters()}
optimizer = torch.optim.SGD(online.parameters(), lr=0.1)
for _ in range(6):
    x = torch.rand(8, 4)
    wanted = functional_call(online, target, (x,)).detach()
    loss = (online(x) - 0.9 * wanted - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    target = {
        name: 0.9 * target[name] + 0.1 * one  # <<
        for name, one in online.named_parameters()
    }
