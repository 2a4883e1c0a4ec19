import torch
from torch.distributions import Categorical, kl_divergence

torch.manual_seed(0)
policy = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
weights = list(policy.parameters())


def flat(value, **options):
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(value, weights, **options)])


for _ in range(2):
    now = Categorical(logits=policy(torch.randn(32, 4)))
    action = now.sample()
    gain = (now.log_prob(action) * torch.randn(32)).mean()
    direction = flat(gain, retain_graph=True)
    old = Categorical(logits=now.logits.detach())
    slope = flat(kl_divergence(old, now).mean(), create_graph=True)
    for _ in range(3):
        direction = direction - 0.1 * flat(slope @ direction, retain_graph=True)
