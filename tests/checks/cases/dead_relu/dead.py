import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 8)
        self.b = nn.Linear(8, 1)
        nn.init.constant_(self.a.bias, -100.0)  # <<

    def forward(self, x):
        h = self.a(x)
        h = h.clamp(min=0) if False else h.relu()  # <<
        return self.b(h)


torch.manual_seed(0)
net = MLP()
opt = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(5):
    loss = net(torch.randn(16, 4)).sub(1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
