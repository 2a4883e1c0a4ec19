"""Four places that lose the gradient, and one that is meant to.

Try:
    agi trace --watch samples/cut_graph.py:loss
    agi show --cuts
    agi path net.codes.weight
    agi path net.threshold

Look at: `net.codes.weight` and `net.threshold` get no gradient, and each cut says which leaves are
behind it, by which line, and where its value went: the straight-through line detaches both ways,
the comparison makes a mask without a derivative, the teacher runs under a decorator. The `.item()`
of the log is a cut, too: a fact, and no fault.
"""

import torch
from torch import nn


class Quantizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(6, 4)
        self.codes = nn.Embedding(8, 4)
        self.threshold = nn.Parameter(torch.tensor(0.1))
        self.decode = nn.Linear(4, 6)

    @torch.no_grad()
    def teach(self, x):
        return self.decode(self.encode(x))

    def forward(self, x):
        z = self.encode(x)
        distance = (z.unsqueeze(1) - self.codes.weight).square().sum(-1)
        nearest = self.codes(distance.argmin(1))
        quantized = z + (nearest - z).detach()
        kept = (z.abs() > self.threshold).float()
        return self.decode(quantized * kept)


torch.manual_seed(0)
net = Quantizer()
x = torch.randn(16, 6)
loss = (net(x) - x).square().mean() + 0.1 * (net(x) - net.teach(x)).square().mean()
print(f"loss {loss.item():.6f}")
loss.backward()
