import torch
from torch import nn


class Queue(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 3)
        self.queue = torch.rand(8, 3)

    def forward(self, x):
        keys = torch.tanh(self.encoder(x))
        loss = (keys @ self.queue.t()).logsumexp(1).mean()
        self.queue = torch.cat([keys, self.queue])[:8]  # <<
        return loss


model = Queue()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    model(torch.rand(2, 4)).backward()
    optimizer.step()
