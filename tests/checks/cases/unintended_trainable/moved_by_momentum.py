import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Linear(4, 4), nn.Linear(4, 1)
opt = torch.optim.Adam([*backbone.parameters(), *head.parameters()])
for epoch in range(4):
    if epoch == 2:
        for p in backbone.parameters():
            p.requires_grad = False  # <<
    loss = (head(backbone(torch.randn(8, 4))) - 1).pow(2).mean()
    opt.zero_grad(set_to_none=False)
    loss.backward()
    opt.step()
