import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(4, 2), nn.Linear(2, 1)
opt_g, opt_d = (torch.optim.Adam(one.parameters()) for one in (G, D))
bce = nn.functional.binary_cross_entropy_with_logits
ones, zeros = torch.ones(16, 1), torch.zeros(16, 1)
for _ in range(3):
    opt_g.zero_grad()
    opt_d.zero_grad()
    loss_d = bce(D(torch.randn(16, 2)), ones) + bce(D(G(torch.randn(16, 4))), zeros)
    loss_d.backward()  # <<
    opt_d.step()
    loss_g = bce(D(G(torch.randn(16, 4))), ones)
    loss_g.backward()
    opt_g.step()
