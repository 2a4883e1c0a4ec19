import torch
from torch import nn
class Loss(nn.Module):
    def __init__(s):
        super().__init__(); s.vgg = [nn.Linear(4, 4).requires_grad_(False)]
    def forward(s, a, b): return (s.vgg[0](a) - s.vgg[0](b)).pow(2).mean()
m = nn.Linear(3, 4); L = Loss(); o = torch.optim.Adam(m.parameters())
for _ in range(3):
    o.zero_grad(); L(m(torch.randn(4, 3)), torch.randn(4, 4)).backward(); o.step()
