import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
optimizer = torch.optim.RMSprop(critic.parameters(), 1e-3)
for _ in range(3):
    real, fake = torch.randn(16, 2) + 3, torch.randn(16, 2)
    of_real = critic(real)
    of_fake = critic(fake)
    loss = of_fake.mean() - of_real.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
