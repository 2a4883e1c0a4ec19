import torch
from torch import nn


class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(10, 4)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.emb.weight

    def resize(self, size):
        self.emb = nn.Embedding(size, 4)
        self.head = nn.Linear(4, size, bias=False)  # <<

    def forward(self, i):
        return self.head(self.emb(i))


torch.manual_seed(0)
m = LM()
m.resize(12)
opt = torch.optim.SGD(m.parameters(), 0.1)
for _ in range(2):
    loss = nn.functional.cross_entropy(m(torch.arange(12)), torch.arange(12))
    opt.zero_grad()
    loss.backward()
    opt.step()
