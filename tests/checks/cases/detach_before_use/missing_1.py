import torch
from torch import nn
class AE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.d = nn.Linear(4, 2), nn.Linear(2, 4)
    def forward(self, x):
        z = self.e(x)
        return self.d(z.detach()), z  # <<
m = AE(); o = torch.optim.Adam(m.parameters())
for _ in range(3):
    x = torch.randn(3, 4)
    y, z = m(x)
    o.zero_grad(); (y - x).pow(2).mean().backward(); o.step()
