import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 4)
        self.head = nn.Linear(4, 2)
        self.requires_grad_(False)  # <<
    def forward(self, x):
        return self.head(self.body(x))
net = Net()
o = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=.1)
