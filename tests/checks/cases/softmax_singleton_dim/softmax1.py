import torch
from torch import nn


class Attn(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.score = nn.Linear(d, 1)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        a = torch.softmax(self.score(x), dim=-1)  # <<
        return self.out((a * x).sum(1))


torch.manual_seed(0)
net = Attn(4)
opt = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    loss = net(torch.randn(2, 5, 4)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
