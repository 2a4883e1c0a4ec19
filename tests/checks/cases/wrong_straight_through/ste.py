import torch
from torch import nn


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(4, 4)
        self.dec = nn.Linear(4, 1)

    def forward(self, x):
        z = self.enc(x)
        hard = torch.round(z.detach())
        z = z + (hard - z)  # <<
        return self.dec(z)


torch.manual_seed(0)
m = Q()
opt = torch.optim.SGD(m.parameters(), 0.1)
for _ in range(3):
    loss = m(torch.randn(8, 4)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
