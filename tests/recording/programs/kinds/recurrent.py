"""Unrolled recurrence: a cell of one's own, torch's cells, and torch's LSTM."""

import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 2)

    def forward(self, x, h):
        h = self.mix(torch.cat([x, h], 1))  # makes: AddmmBackward0 CatBackward0 TBackward0
        return torch.tanh(h)  # makes: TanhBackward0


class Rnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell()
        self.gru = nn.GRUCell(2, 2)

    def forward(self, xs):
        h = torch.zeros(3, 2)
        for x in xs:
            h = self.cell(x, h)
            h = self.gru(x, h)
        return h


rnn, lstm = Rnn(), nn.LSTM(2, 2, num_layers=2)
xs = torch.randn(5, 3, 2)
out, (last, _) = lstm(xs)
loss = rnn(xs).sum() + out.sum() + last.sum()  # makes: AddBackward0 SumBackward0
