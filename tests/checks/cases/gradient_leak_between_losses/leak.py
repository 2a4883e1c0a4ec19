import torch
from torch import nn

torch.manual_seed(0)
gen = nn.Linear(2, 3)
disc = nn.Linear(3, 1)
og = torch.optim.SGD(gen.parameters(), 0.1)
od = torch.optim.SGD(disc.parameters(), 0.1)
for _ in range(4):
    z = torch.randn(8, 2)
    real = torch.randn(8, 3)
    og.zero_grad()
    od.zero_grad()
    g_loss = -disc(gen(z)).mean()
    g_loss.backward()  # <<
    og.step()
    d_loss = disc(gen(z).detach()).mean() - disc(real).mean()
    d_loss.backward()
    od.step()
