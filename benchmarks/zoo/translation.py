"""A transformer with six layers that encode and six that decode, each with its own attention."""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.merge = nn.Linear(width, width)

    def forward(self, x, memory, mask=None):
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(memory), self.value(memory))
        )
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        if mask is not None:
            scores = scores + mask
        return self.merge((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))


class FeedForward(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class EncoderLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention, self.feed_forward = Attention(width), FeedForward(width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y)
        return x + self.feed_forward(self.norm2(x))


class DecoderLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention, self.cross = Attention(width), Attention(width)
        self.feed_forward = FeedForward(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, memory, mask):
        y = self.norm1(x)
        x = x + self.attention(y, y, mask)
        x = x + self.cross(self.norm2(x), memory)
        return x + self.feed_forward(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, words=64, width=32, layers=6):
        super().__init__()
        self.source, self.target = nn.Embedding(words, width), nn.Embedding(words, width)
        self.encoder = nn.ModuleList(EncoderLayer(width) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(width) for _ in range(layers))
        self.head = nn.Linear(width, words)

    def forward(self, source, target):
        memory = self.source(source)
        for layer in self.encoder:
            memory = layer(memory)
        x = self.target(target)
        mask = torch.full((target.shape[1],) * 2, float("-inf")).triu(1)
        for layer in self.decoder:
            x = layer(x, memory, mask)
        return self.head(x)


torch.manual_seed(0)
model = Transformer()
source, target = torch.randint(64, (2, 12)), torch.randint(64, (2, 11))
logits = model(source, target[:, :-1])
loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
loss.backward()
