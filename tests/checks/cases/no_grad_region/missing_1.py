import torch
from torch import nn
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.GRU(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)
    def forward(self, x):
        with torch.no_grad():  # <<
            h, _ = self.enc(x)  # <<
        return self.head(h[:, -1])
m = Model(); o = torch.optim.Adam(m.parameters())
for _ in range(3):
    o.zero_grad(); m(torch.randn(2, 5, 3)).pow(2).mean().backward(); o.step()
