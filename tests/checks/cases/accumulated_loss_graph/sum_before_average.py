import torch
from torch import nn


class Meter:
    def __init__(self):
        self.average = self.sum = self.count = 0

    def update(self, value):
        self.sum += value  # <<
        self.count += 1
        self.average = self.sum / self.count


meter, model = Meter(), nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(6):
    loss = model(torch.rand(8, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    meter.update(loss)
