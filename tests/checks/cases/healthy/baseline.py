import torch
from torch import nn
from torch.distributions import Categorical
body, pi, vf = nn.Linear(3, 8), nn.Linear(8, 2), nn.Linear(8, 1)
o = torch.optim.Adam([*body.parameters(), *pi.parameters(), *vf.parameters()])
for _ in range(3):
    h = body(torch.randn(6, 3)).tanh()
    d = Categorical(logits=pi(h))
    advantage = torch.randn(6) - vf(h).squeeze(1).detach()
    loss = -(d.log_prob(d.sample()) * advantage).mean()
    o.zero_grad(); loss.backward(); o.step()
