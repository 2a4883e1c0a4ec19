import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.sm = nn.Softmax(dim=-1)

    def forward(self, x):
        return self.sm(self.fc(x))  # <<


torch.manual_seed(0)
net = Net()
crit = nn.CrossEntropyLoss()
opt = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(3):
    loss = crit(net(torch.randn(8, 4)), torch.randint(0, 3, (8,)))  # <<
    opt.zero_grad()
    loss.backward()
    opt.step()
