import torch
from torch import nn


class Attn(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(d, d) for _ in range(3))

    def forward(self, x, pad):
        s = self.q(x) @ self.k(x).transpose(1, 2)
        s = s.masked_fill(pad[:, None, :], float("-inf"))  # <<
        return torch.softmax(s, -1) @ self.v(x)  # <<


torch.manual_seed(0)
net = Attn(4)
x = torch.randn(2, 3, 4)
pad = torch.zeros(2, 3, dtype=torch.bool)
pad[1] = True
loss = net(x, pad).pow(2).mean()
loss.backward()
