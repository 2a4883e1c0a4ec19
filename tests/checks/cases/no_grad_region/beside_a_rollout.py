import torch
from torch import nn
from torch.distributions import Normal
actor, critic = nn.Linear(3, 1), nn.Linear(3, 1)
opt = torch.optim.Adam([*actor.parameters(), *critic.parameters()])
@torch.no_grad()
def act(s):
    pi = Normal(actor(s), 1.)
    a = pi.sample()
    return a, pi.log_prob(a), critic(s)
@torch.no_grad()  # <<
def evaluate(s, a):
    return Normal(actor(s), 1.).log_prob(a)
for _ in range(2):
    s = torch.randn(8, 3)
    a, old, value = act(s)
    advantage = s.sum(1, keepdim=True) - value
    for _ in range(2):
        ratio = (evaluate(s, a) - old).exp()
        loss = -(ratio * advantage).mean() + (critic(s) - s.sum(1, keepdim=True)).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
