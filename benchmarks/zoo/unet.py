"""A U-Net: down four times, up four times, with a connection across at each height."""

import torch
from torch import nn


class DoubleConv(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    def __init__(self, width=8, heights=4):
        super().__init__()
        widths = [width * 2**height for height in range(heights + 1)]
        self.first = DoubleConv(3, width)
        pairs = list(zip(widths, widths[1:], strict=False))
        self.down = nn.ModuleList(DoubleConv(few, many) for few, many in pairs)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(m, f, 2, stride=2) for f, m in pairs)
        self.up = nn.ModuleList(DoubleConv(many, few) for few, many in pairs)
        self.pool, self.last = nn.MaxPool2d(2), nn.Conv2d(width, 2, 1)

    def forward(self, image):
        across = [self.first(image)]
        for down in self.down:
            across.append(down(self.pool(across[-1])))
        x = across.pop()
        for grow, up in zip(reversed(self.grow), reversed(self.up), strict=True):
            x = up(torch.cat([across.pop(), grow(x)], dim=1))
        return self.last(x)


torch.manual_seed(0)
net = UNet()
loss = nn.functional.cross_entropy(net(torch.randn(2, 3, 32, 32)), torch.randint(2, (2, 32, 32)))
loss.backward()
