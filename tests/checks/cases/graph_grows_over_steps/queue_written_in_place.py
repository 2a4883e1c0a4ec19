import torch
from torch import nn

query, key = nn.Linear(4, 3), nn.Linear(4, 3)
queue = torch.randn(12, 3)
optimizer = torch.optim.SGD(query.parameters(), lr=0.1)
for step in range(6):
    x = torch.rand(2, 4)
    scores = query(x) @ queue.clone().detach().t()
    loss = nn.functional.cross_entropy(scores, torch.tensor([0, 1]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    queue[2 * step : 2 * step + 2] = key(x)  # <<
