import torch
from torch import nn

torch.manual_seed(0)
encoder, codebook, decoder = nn.Linear(6, 4), nn.Embedding(8, 4), nn.Linear(4, 6)
parts = [*encoder.parameters(), *codebook.parameters(), *decoder.parameters()]
optimizer = torch.optim.SGD(parts, 0.1)
for _ in range(3):
    x = torch.randn(10, 6)
    z = encoder(x)
    code = codebook(torch.cdist(z.detach(), codebook.weight.detach()).argmin(1))
    passed = code + (z - code).detach()  # <<
    loss = (decoder(passed) - x).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
