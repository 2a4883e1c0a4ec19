import torch
from torch import nn
net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
def field(state):
    energy = net(state).sum()
    q, p = state.chunk(2, 1)  # <<
    found = torch.autograd.grad(energy, (q, p), create_graph=True, allow_unused=True)
    return [torch.zeros_like(q) if one is None else one for one in found]
bias = nn.Parameter(torch.zeros(1))
opt = torch.optim.SGD([*net.parameters(), bias], lr=0.1)
for _ in range(3):
    loss = (field(torch.randn(4, 2, requires_grad=True))[0] + bias - 1).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
