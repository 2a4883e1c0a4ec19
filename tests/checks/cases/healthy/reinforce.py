import torch
from torch import nn
from torch.distributions import Categorical
p = nn.Linear(3, 4); o = torch.optim.Adam(p.parameters())
for _ in range(3):
    d = Categorical(logits=p(torch.randn(8, 3)))
    a = d.sample()
    loss = -(d.log_prob(a) * torch.randn(8)).mean()
    o.zero_grad(); loss.backward(); o.step()
    print(loss.item(), p.weight.grad.norm().item())
