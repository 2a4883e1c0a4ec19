import torch
from torch import nn

torch.manual_seed(0)
stem, layer = nn.Linear(3, 4), nn.Linear(4, 2)
for _ in range(3):
    batch = [stem(torch.randn(6, 3)), torch.randn(6, 2)]
    x = batch[0]
    x = x.relu_()
    loss = (layer(x) - batch[1]).pow(2).mean()
    loss.backward()
    stem.zero_grad()
    layer.zero_grad()
