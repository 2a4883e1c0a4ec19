import torch
from torch import nn
import torch.nn.functional as F
encoder, codes, decoder = nn.Linear(4, 3), nn.Embedding(6, 3), nn.Linear(3, 4)
opt = torch.optim.Adam([*encoder.parameters(), *codes.parameters(), *decoder.parameters()])
for _ in range(2):
    x = torch.randn(8, 4)
    z = encoder(x)
    nearest = torch.cdist(z, codes.weight).argmin(1)  # <<
    q = codes(nearest)  # <<
    loss = F.mse_loss(decoder(q), x) + F.mse_loss(q, z.detach())
    opt.zero_grad()
    loss.backward()
    opt.step()
