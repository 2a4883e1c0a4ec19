"""A policy whose mean never moves: two paths to it cancel, and no error says so.

Try:
    agi check samples/cancelled_policy.py    # exits with 1
    agi check samples/cancelled_policy.py --sample
    agi rule gradient_cancels

Look at: log_prob of a sample that was drawn with rsample() does not depend on the mean. Every
gradient is there and finite, and that of the mean is zero: the finding tells the sizes of the two
that meet, and the lines where their paths begin. With --sample there is nothing to say.
"""

import sys

import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)
mean, scale = nn.Linear(3, 1), nn.Linear(3, 1)
optimizer = torch.optim.Adam([*mean.parameters(), *scale.parameters()], lr=1e-2)

for step in range(5):
    state = torch.randn(16, 3)
    policy = Normal(mean(state), scale(state).exp())
    action = policy.sample() if "--sample" in sys.argv else policy.rsample()
    reward = -(action - state[:, :1]).square().detach()
    loss = -(policy.log_prob(action) * (reward - reward.mean())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step} reward {reward.mean().item():.4f}")
