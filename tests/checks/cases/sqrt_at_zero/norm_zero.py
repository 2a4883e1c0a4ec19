import torch
from torch import nn


class Dist(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(5, 3)
        nn.init.zeros_(self.emb.weight)

    def forward(self, a, b):
        d = self.emb(a) - self.emb(b)
        return (d * d).sum(-1).sqrt()  # <<


m = Dist()
loss = m(torch.tensor([0, 1]), torch.tensor([1, 2])).mean()
loss.backward()
