import torch
from torch import nn
net, d = nn.Linear(3, 1), torch.zeros(4, requires_grad=True)
opt = torch.optim.SGD([d], lr=0.1)
for _ in range(3):
    nn.utils.vector_to_parameters(d * 2, net.parameters())  # <<
    loss = net(torch.randn(4, 3)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
