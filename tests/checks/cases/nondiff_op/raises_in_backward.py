import torch
from torch import nn
gate = nn.Parameter(torch.randn(5))
layer = nn.Linear(3, 5)
opt = torch.optim.SGD([gate, *layer.parameters()], lr=.1)
def hidden(x):
    h = layer(x)
    return h * torch.heaviside(gate, torch.tensor(.5))  # <<
loss = hidden(torch.randn(4, 3)).pow(2).mean()
loss.backward()
opt.step()
