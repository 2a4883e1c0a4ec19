import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
emb = nn.Embedding(30, 8, sparse=True)
trunk, head_a, head_b = nn.Linear(8, 16), nn.Linear(16, 3), nn.Linear(16, 1)
optimizers = [
    torch.optim.SparseAdam(emb.parameters(), lr=1e-2),
    *(torch.optim.Adam(one.parameters()) for one in (trunk, head_a, head_b)),
]
for _ in range(3):
    idx = torch.randint(0, 30, (12,))
    h = torch.tanh(trunk(emb(idx)))
    logits = head_a(h)
    entropy = -(logits.log_softmax(-1) * logits.softmax(-1)).sum(-1).mean()
    for one in optimizers:
        one.zero_grad()
    (F.cross_entropy(logits, idx % 3) - 0.01 * entropy).backward(retain_graph=True)
    F.mse_loss(head_b(h).squeeze(-1), idx / 30).backward()
    for one in optimizers:
        one.step()
