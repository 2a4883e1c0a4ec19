import torch
from torch import nn

model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss = 0
for step in range(1, 5):
    loss += model(torch.rand(5, 3)).square().mean() / 2  # <<
    if step % 2 == 0:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
