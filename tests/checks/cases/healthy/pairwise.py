import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), 0.01)
for _ in range(3):
    s = net(torch.randn(6, 3)).squeeze(1)
    y = torch.arange(6.0)
    diff = s.unsqueeze(1) - s.unsqueeze(0)
    sign = torch.sign(y.unsqueeze(1) - y)
    loss = torch.relu(1 - diff * sign).mean() + 0.1 * (s[:, None] - y).abs().min(1).values.mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
