"""A graph network: five rounds of messages along the edges of a random graph."""

import torch
from torch import nn


class Round(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.message = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.update = nn.GRUCell(width, width)

    def forward(self, nodes, start, end):
        messages = self.message(torch.cat([nodes[start], nodes[end]], 1))
        gathered = torch.zeros_like(nodes).scatter_add(
            0, end[:, None].expand_as(messages), messages
        )
        return self.update(gathered, nodes)


class GraphNet(nn.Module):
    def __init__(self, width=16, rounds=5):
        super().__init__()
        self.enter, self.leave = nn.Linear(4, width), nn.Linear(width, 2)
        self.rounds = nn.ModuleList(Round(width) for _ in range(rounds))

    def forward(self, nodes, start, end):
        nodes = self.enter(nodes)
        for one in self.rounds:
            nodes = one(nodes, start, end)
        return self.leave(nodes.mean(0, keepdim=True))


torch.manual_seed(0)
net = GraphNet()
start, end = torch.randint(20, (2, 60))
loss = nn.functional.cross_entropy(net(torch.randn(20, 4), start, end), torch.tensor([1]))
loss.backward()
