import torch
from torch import nn
import torch.nn.functional as F
policy = nn.Linear(4, 3)
opt = torch.optim.Adam(policy.parameters())
for _ in range(3):
    logits = policy(torch.randn(16, 4))
    entropy = -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean()
    loss = F.cross_entropy(logits, torch.randint(3, (16,))) - .01 * entropy
    opt.zero_grad()
    loss.backward()
    opt.step()
