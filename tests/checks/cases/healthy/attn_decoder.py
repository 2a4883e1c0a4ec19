import torch
from torch import nn
emb, cell, out = nn.Embedding(5, 4), nn.GRUCell(4, 4), nn.Linear(4, 5)
o = torch.optim.SGD([*emb.parameters(), *cell.parameters(), *out.parameters()], lr=.1)
for i in range(3):
    h = torch.zeros(2, 4); tok = torch.zeros(2, dtype=torch.long); loss = 0
    for t in range(6):
        h = cell(emb(tok), h); l = out(h)
        loss = loss + nn.functional.cross_entropy(l, torch.randint(0, 5, (2,)))
        tok = l.topk(1)[1].squeeze(1).detach()
    o.zero_grad(); loss.backward(); o.step()
