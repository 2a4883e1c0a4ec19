"""A training loop of the ordinary kind, watched step by step.

Try:
    agi train samples/train_steps.py
    agi train --steps 60 --by module --show 'layer2.weight[0][0:10]' samples/train_steps.py
    agi train --steps 40 --json samples/train_steps.py
    agi train --plot curves.svg samples/train_steps.py

Look at: the loss falls while the gradients of both layers shrink; a step changes the weights by
about a thousandth of their size; every step has a graph of the same size, and none of them outlives
its step.
"""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1, self.layer2 = nn.Linear(20, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.layer2(torch.tanh(self.layer1(x)))


torch.manual_seed(0)
inputs = torch.randn(256, 20)
labels = (inputs @ torch.randn(20, 10)).argmax(dim=1)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=60)
for epoch in range(60):
    loss = nn.functional.cross_entropy(model(inputs), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
print(f"loss {loss.item():.4f}")
