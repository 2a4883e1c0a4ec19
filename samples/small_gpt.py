"""A small GPT: twelve layers, 64 wide, four heads.

Try:
    agi trace samples/small_gpt.py:loss
    agi grads --sort +norm --top 10

Look at: 483 nodes on one screen, since twelve layers of the same shape are folded into one. The
table begins with the smallest gradients. The embedding is the output layer too: one leaf, used
twice.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        wide = 4 * width
        self.mlp = nn.Sequential(nn.Linear(width, wide), nn.GELU(), nn.Linear(wide, width))

    def forward(self, x):
        split = self.qkv(self.before_attention(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.merge(seen.transpose(1, 2).flatten(2))
        return x + self.mlp(self.before_mlp(x))


class GPT(nn.Module):
    def __init__(self, words=256, length=32, width=64, heads=4, layers=12):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.words.weight, std=0.02)

    def forward(self, text):
        x = self.words(text) + self.places(torch.arange(text.shape[1]))
        return self.norm(self.layers(x)) @ self.words.weight.T


torch.manual_seed(0)
gpt = GPT()
text = torch.randint(256, (2, 33))
loss = F.cross_entropy(gpt(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
loss.backward()
print(f"loss {loss.item():.3f}")
