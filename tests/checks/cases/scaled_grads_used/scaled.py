import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), 1e-6)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
for _ in range(4):
    opt.zero_grad()
    loss = net(torch.randn(8, 4)).pow(2).mean()
    scaler.scale(loss).backward()
    opt.step()  # <<
