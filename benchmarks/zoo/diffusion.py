"""The U-Net of a diffusion model: residual blocks that are told the time, and attention."""

import torch
from torch import nn
from torch.nn.functional import interpolate, scaled_dot_product_attention, silu


class ResBlock(nn.Module):
    def __init__(self, before, after, time):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(4, before), nn.Conv2d(before, after, 3, padding=1)
        self.time = nn.Linear(time, after)
        self.norm2, self.conv2 = nn.GroupNorm(4, after), nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x, when):
        y = self.conv1(silu(self.norm1(x))) + self.time(silu(when))[:, :, None, None]
        return self.skip(x) + self.conv2(silu(self.norm2(y)))


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.qkv = nn.GroupNorm(4, width), nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, x):
        query, key, value = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, 2)
        seen = scaled_dot_product_attention(query, key, value)
        return x + self.out(seen.transpose(1, 2).reshape_as(x))


class Diffusion(nn.Module):
    def __init__(self, width=16, time=32, heights=3):
        super().__init__()
        self.when = nn.Sequential(nn.Linear(1, time), nn.SiLU(), nn.Linear(time, time))
        self.first, self.last = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 1)
        self.down = nn.ModuleList(ResBlock(width, width, time) for _ in range(2 * heights))
        self.up = nn.ModuleList(ResBlock(2 * width, width, time) for _ in range(2 * heights))
        self.see_down = nn.ModuleList(Attention(width) for _ in range(2 * heights))
        self.see_up = nn.ModuleList(Attention(width) for _ in range(2 * heights))
        self.middle = nn.ModuleList([ResBlock(width, width, time) for _ in range(2)])

    def forward(self, x, when):
        when, x = self.when(when), self.first(x)
        across = []
        for number, (block, see) in enumerate(zip(self.down, self.see_down, strict=True)):
            x = see(block(x, when))
            across.append(x)
            if number % 2:
                x = nn.functional.avg_pool2d(x, 2)
        for block in self.middle:
            x = block(x, when)
        for number, (block, see) in enumerate(zip(self.up, self.see_up, strict=True)):
            if number % 2 == 0:
                x = interpolate(x, scale_factor=2)
            x = see(block(torch.cat([x, across.pop()], 1), when))
        return self.last(x)


torch.manual_seed(0)
net = Diffusion()
noise = torch.randn(2, 3, 16, 16)
loss = nn.functional.mse_loss(net(torch.randn(2, 3, 16, 16), torch.rand(2, 1)), noise)
loss.backward()
