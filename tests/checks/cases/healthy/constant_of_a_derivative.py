import torch
from torch import nn
# The last bias is no part of the derivative that is fitted; what is matched is a constant.
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    x = torch.randn(5, 3, requires_grad=True)
    wanted = torch.autograd.grad(x.pow(2).sum(), x)[0]
    force = torch.autograd.grad(net(x).sum(), x, create_graph=True)[0]
    loss = 1 - torch.cosine_similarity(force, wanted).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    print(loss.item())
