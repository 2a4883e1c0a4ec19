"""Several roots in one graph: EXPR may be a tuple, a dict or a dataclass of tensors.

Try:
    agi trace samples/several_roots.py:outcome
    agi trace samples/several_roots.py:losses
    agi trace --expr "(losses['policy'], outcome.value)" samples/several_roots.py

Look at: every root has a line of its own, named by where it was found; what the roots share is
drawn once.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Outcome:
    policy: torch.Tensor
    value: torch.Tensor
    steps: int


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 16)
        self.actor = nn.Linear(16, 3)
        self.critic = nn.Linear(16, 1)

    def forward(self, state):
        shared = self.trunk(state).tanh()
        policy = self.actor(shared).log_softmax(-1).mean()
        return Outcome(policy, self.critic(shared).square().mean(), steps=len(state))


torch.manual_seed(0)
agent = ActorCritic()
outcome = agent(torch.randn(8, 6))
losses = {"policy": -outcome.policy, "value": 0.5 * outcome.value}
loss = sum(losses.values())
print(f"loss {loss:.4f} of", {name: round(part.item(), 4) for name, part in losses.items()})
