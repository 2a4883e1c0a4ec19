import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters())
for _ in range(2):
    now, later, reward = torch.randn(8, 4), torch.randn(8, 4), torch.rand(8)
    done = torch.zeros(8)
    q = net(now).gather(1, torch.randint(0, 3, (8, 1))).squeeze(1)
    target = reward + 0.99 * net(later).max(1)[0] * (1 - done)  # <<
    loss = nn.functional.smooth_l1_loss(q, target)
    opt.zero_grad()
    loss.backward()
    opt.step()
