"""What a forward keeps in memory for its backward, and what a checkpoint does not.

Try:
    agi trace samples/held_for_backward.py:loss
    agi memory
    agi memory --by module
    agi memory --by line --top 5
    agi memory --by tensor --json

Look at: the activations of the plain block are held, those of the checkpointed one are not, and say
so; one input that two layers save counts once; the parameters are held anyway and are told apart.
"""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.down(torch.nn.functional.gelu(self.up(x)))


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.plain, self.cheap = Block(width), Block(width)
        self.left, self.right = nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, x):
        h = checkpoint(self.cheap, self.plain(x), use_reentrant=False)
        return self.left(h) * self.right(h)


torch.manual_seed(0)
net = Net(32)
loss = net(torch.randn(64, 32)).mean()
loss.backward()
print(f"loss {loss.item():.6f}")
