import torch
from torch import nn

torch.manual_seed(0)
hidden, head = nn.Linear(4, 8), nn.Linear(8, 1)
nn.init.uniform_(head.weight, 0.1, 0.2)
optimizer = torch.optim.SGD([*hidden.parameters(), *head.parameters()], lr=0.01)
for _ in range(6):
    x = torch.rand(32, 4)
    out = head(torch.relu(hidden(x)))  # <<
    loss = (out + 1e5).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
