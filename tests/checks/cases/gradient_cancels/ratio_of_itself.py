import torch
from torch.distributions import Categorical

torch.manual_seed(0)
policy = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
observed = torch.randn(16, 4)
before = Categorical(logits=policy(observed))
action = before.sample()
old = before.log_prob(action)
new = Categorical(logits=policy(observed)).log_prob(action)
ratio = torch.exp(new - old)  # <<
(ratio * torch.randn(16)).mean().backward()
