import copy

import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, state, action):
        return self.net(torch.cat([state, action], 1))


def main():
    torch.manual_seed(0)
    actor, critic = nn.Linear(2, 1), Critic()
    target_critic = copy.deepcopy(critic)
    opt = torch.optim.Adam(critic.parameters())
    for _ in range(2):
        now, later, reward = torch.randn(8, 2), torch.randn(8, 2), torch.rand(8, 1)
        q_next = target_critic(later, actor(later)).clamp(-1, 1)  # <<
        loss = (critic(now, torch.rand(8, 1)) - (reward + 0.9 * q_next)).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


main()
