"""A critic with a gradient penalty: its graph holds the operations of a backward."""

import torch
from torch import nn

torch.manual_seed(0)
hidden = [part for _ in range(4) for part in (nn.Linear(32, 32), nn.SiLU())]
critic = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), *hidden, nn.Linear(32, 1))
real, fake = torch.randn(8, 16), torch.randn(8, 16)
between = real.lerp(fake, torch.rand(8, 1)).requires_grad_()
(slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
penalty = (slope.norm(dim=1) - 1).square().mean()
loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
loss.backward()
