import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=-1))
opt = torch.optim.Adam(policy.parameters())
for _ in range(2):
    obs = torch.randn(16, 4)
    dist = Categorical(logits=policy(obs))  # <<
    loss = -(dist.log_prob(dist.sample()) * torch.randn(16)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
