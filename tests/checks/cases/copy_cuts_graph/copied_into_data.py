import torch
from torch import nn
hyper, net = nn.Linear(2, 3), nn.Linear(3, 1, bias=False)
opt = torch.optim.SGD(hyper.parameters(), lr=0.1)
for _ in range(3):
    net.weight.data.copy_(hyper(torch.randn(2)).view(1, 3))  # <<
    loss = net(torch.randn(4, 3)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
