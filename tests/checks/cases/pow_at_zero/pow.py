import torch
from torch import nn


class Gamma(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.tensor(0.45))
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, img):
        return (self.gain * img) ** self.gamma  # <<


m = Gamma()
img = torch.tensor([0.0, 0.2, 0.9])
loss = (m(img) - img).pow(2).mean()
loss.backward()
