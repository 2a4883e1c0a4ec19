"""A residual network: every block adds its input to its output, so gradients have two ways.

Try:
    agi trace samples/residual_net.py:loss
    agi show --depth 1
    agi render --svg -o residual_net.svg

Look at: an `add` per block with two inputs, the block's own chain and the shortcut, a rail of its
own beside it that ends at the block before. `--depth 1` leaves the blocks closed.
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, image):
        return image + self.second(self.norm(self.first(image)).relu())


torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    *(Block(8) for _ in range(6)),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(8, 10),
)
labels = torch.randint(10, (4,))
loss = nn.functional.cross_entropy(net(torch.randn(4, 3, 16, 16)), labels)
loss.backward()
print(f"loss {loss.item():.4f}")
