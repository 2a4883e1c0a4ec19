import torch
from torch import nn

torch.manual_seed(0)
q, k = nn.Linear(8, 8), nn.Linear(8, 8)
opt = torch.optim.Adam([*q.parameters(), *k.parameters()], lr=1e-4)
nodes = torch.rand(3, 5, 8)
free, at = torch.ones(3, 5, dtype=torch.bool), nodes.mean(1)
total = torch.zeros(3)
for _ in range(5):
    score = torch.einsum("bd,bnd->bn", q(at), k(nodes)).masked_fill(~free, float("-inf"))
    logp = torch.log_softmax(score, -1)
    pick = logp.argmax(-1)
    total = total + logp.gather(1, pick[:, None]).squeeze(1)
    free = free.scatter(1, pick[:, None], False)
    at = nodes[torch.arange(3), pick]
loss = -(torch.tensor([0.3, -0.1, 0.2]) * total).mean()
loss.backward()
opt.step()
