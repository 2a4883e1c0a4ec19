import torch
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        h = torch.sqrt(self.fc(x))  # <<
        return torch.nan_to_num(h)  # <<


torch.manual_seed(0)
net = Head()
loss = net(torch.randn(5, 4)).mean()
loss.backward()
