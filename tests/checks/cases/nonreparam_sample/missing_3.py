import torch
from torch import nn
class Drop(nn.Module):
    def __init__(self):
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(3)); self.fc = nn.Linear(3, 1)
    def forward(self, x):
        m = torch.bernoulli(self.logit.sigmoid().expand_as(x))  # <<
        return self.fc(x * m)
m = Drop(); o = torch.optim.SGD(m.parameters(), lr=.1)
for _ in range(3):
    o.zero_grad(); m(torch.randn(4, 3)).pow(2).mean().backward(); o.step()
