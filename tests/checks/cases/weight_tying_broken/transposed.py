import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec = nn.Linear(8, 3), nn.Linear(3, 8)
        self.dec.weight = nn.Parameter(self.enc.weight.t())  # <<

    def forward(self, x):
        return self.dec(torch.tanh(self.enc(x)))


torch.manual_seed(0)
m = Autoencoder()
opt = torch.optim.Adam(m.parameters())
for _ in range(2):
    x = torch.randn(16, 8)
    loss = (m(x) - x).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
