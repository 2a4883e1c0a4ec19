import torch
from torch import nn
gate, value = nn.Linear(3, 4), nn.Linear(3, 4)
trunk = nn.Linear(3, 3)
opt = torch.optim.SGD([*trunk.parameters(), *gate.parameters(), *value.parameters()], lr=0.1)
for _ in range(3):
    h = trunk(torch.randn(5, 3))
    weights = gate(h).softmax(-1)
    picked = weights.detach_().argmax(-1)  # <<
    loss = (weights * value(h)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
