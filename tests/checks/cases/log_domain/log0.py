import torch
from torch import nn
from torch.nn import functional


def nll(probs, y):
    return -torch.log(probs[torch.arange(len(y)), y]).mean()  # <<


torch.manual_seed(0)
net = nn.Linear(3, 2)
with torch.no_grad():
    net.weight.mul_(500)
for _ in range(2):
    p = functional.softmax(net(torch.randn(16, 3)), 1)
    loss = nll(p, torch.randint(0, 2, (16,)))
    net.zero_grad()
    loss.backward()
