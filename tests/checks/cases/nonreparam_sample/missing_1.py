import torch
from torch import nn
from torch.distributions import MultivariateNormal, Independent, Normal
class P(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(3)); self.ls = nn.Parameter(torch.zeros(3))
        self.w = nn.Linear(3, 1)
    def forward(self):
        d = Independent(Normal(self.mu, self.ls.exp()), 1)
        return self.w(d.sample((8,)))  # <<
m = P(); o = torch.optim.Adam(m.parameters())
for _ in range(3):
    o.zero_grad(); m().mean().backward(); o.step()
