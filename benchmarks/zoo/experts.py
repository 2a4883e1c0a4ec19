"""A mixture of experts: six layers of attention, each token going to two of eight experts."""

import torch
from torch import nn


class Expert(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return self.down(nn.functional.silu(self.up(x)))


class Experts(nn.Module):
    def __init__(self, width, count=8, chosen=2):
        super().__init__()
        self.gate, self.chosen = nn.Linear(width, count, bias=False), chosen
        self.experts = nn.ModuleList(Expert(width) for _ in range(count))

    def forward(self, x):
        tokens = x.flatten(0, 1)
        weights, picks = self.gate(tokens).softmax(-1).topk(self.chosen)
        weights = weights / weights.sum(-1, keepdim=True)
        out = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            token, slot = torch.where(picks == number)
            out = out.index_add(0, token, expert(tokens[token]) * weights[token, slot, None])
        return out.view_as(x)


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.experts = Experts(width)

    def forward(self, x):
        y = self.before(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.experts(self.after(x))


torch.manual_seed(0)
embed, head = nn.Embedding(64, 32), nn.Linear(32, 64)
model = nn.Sequential(embed, *(Layer(32) for _ in range(6)), nn.LayerNorm(32), head)
tokens = torch.randint(64, (4, 33))
logits = model(tokens[:, :-1])
loss = nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
loss.backward()
