import torch
from torch import nn

actor, critic = nn.Linear(3, 2), nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 1))
for_actor = torch.optim.Adam(actor.parameters(), lr=1e-2)
for_critic = torch.optim.Adam(critic.parameters(), lr=1e-2)
for _ in range(3):
    s, a, target = torch.rand(7, 3), torch.rand(7, 2), torch.rand(7, 1)
    critic_loss = (critic(torch.cat([s, a], 1)) - target).square().mean()
    actor_loss = -critic(torch.cat([s, actor(s).tanh()], 1)).mean()
    for_critic.zero_grad()
    critic_loss.backward()
    critic.requires_grad_(False)
    for_actor.zero_grad()
    actor_loss.backward()
    critic.requires_grad_(True)
    for_critic.step()
    for_actor.step()
