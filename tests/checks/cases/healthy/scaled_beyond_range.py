import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
x = torch.randn(64, 8)
for _ in range(8):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), x[:, :1] * 200)
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
