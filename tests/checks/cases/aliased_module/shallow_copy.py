import copy

import torch
from torch import nn


class Average:
    def __init__(self, model):
        self.module = copy.copy(model)  # <<

    @torch.no_grad()
    def update(self, model):
        for mean, now in zip(self.module.parameters(), model.parameters(), strict=True):
            mean.copy_(0.9 * mean + 0.1 * now)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
average = Average(model)
opt = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(2):
    loss = model(torch.randn(8, 3)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    average.update(model)
