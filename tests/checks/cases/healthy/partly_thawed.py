import torch
from torch import nn


class Features(nn.Module):
    def __init__(self, requires_grad=False):
        super().__init__()
        self.requires_grad = requires_grad
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8))
        for p in self.parameters():
            p.requires_grad = requires_grad

    def forward(self, x):
        return self.body(x)


torch.manual_seed(0)
features, head = Features(), nn.Linear(8, 1)
opt = torch.optim.AdamW([*features.parameters(), *head.parameters()])
for epoch in range(3):
    features.body[2].requires_grad_(epoch > 0)
    opt.zero_grad()
    loss = (head(features(torch.randn(8, 4))) - 1).pow(2).mean()
    loss.backward()
    opt.step()
