import torch
from torch import nn

torch.manual_seed(0)
gen = nn.Sequential(nn.Linear(2, 8), nn.ReLU(inplace=True), nn.Linear(8, 3))
disc = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
og = torch.optim.Adam(gen.parameters(), 0.001)
od = torch.optim.Adam(disc.parameters(), 0.001)
bce = nn.BCEWithLogitsLoss()
for _ in range(6):
    z = torch.randn(8, 2)
    real = torch.randn(8, 3)
    fake = gen(z)
    od.zero_grad()
    lr = bce(disc(real), torch.ones(8, 1))
    lr.backward()
    lf = bce(disc(fake.detach()), torch.zeros(8, 1))
    lf.backward()
    od.step()
    og.zero_grad()
    lg = bce(disc(fake), torch.ones(8, 1))
    lg.backward()
    og.step()
