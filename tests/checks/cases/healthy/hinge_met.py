import torch

torch.manual_seed(0)
x = torch.cat([torch.randn(20, 2) * 0.2 + 2, torch.randn(20, 2) * 0.2 - 2])
y = torch.cat([torch.ones(20), -torch.ones(20)])
line = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(line.parameters(), lr=1.0)
for _ in range(8):
    loss = torch.relu(1 - y * line(x).squeeze(1)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
