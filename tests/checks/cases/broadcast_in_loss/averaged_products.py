import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Linear(4, 3)
opt = torch.optim.Adam(policy.parameters())
for _ in range(2):
    dist = Categorical(logits=policy(torch.randn(16, 4)))
    action = dist.sample()
    advantage = torch.randn(16, 1)
    ratio = (dist.log_prob(action) - dist.log_prob(action).detach()).exp()
    surrogate = ratio * advantage  # <<
    loss = -torch.min(surrogate, ratio.clamp(0.8, 1.2) * advantage).mean()  # <<
    opt.zero_grad()
    loss.backward()
    opt.step()
