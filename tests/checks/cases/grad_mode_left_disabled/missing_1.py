import torch
from torch import nn
net = nn.Linear(3, 1)
o = torch.optim.SGD(net.parameters(), lr=.1)
def validate():
    torch.set_grad_enabled(False)  # <<
    return net(torch.randn(4, 3)).mean().item()
for _ in range(3):
    loss = net(torch.randn(4, 3)).pow(2).mean()
    o.zero_grad(); loss.backward(); o.step()
    validate()
