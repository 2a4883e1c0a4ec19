"""The image is moved by hand, and its gradient cleared; those of the network are not looked at."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3)).eval()
image = torch.rand(1, 3, 10, 10, requires_grad=True)
for _ in range(5):
    loss = net(image)[:, :3].norm()
    loss.backward()
    image.data += 0.05 * image.grad / image.grad.abs().mean()
    image.grad.zero_()
