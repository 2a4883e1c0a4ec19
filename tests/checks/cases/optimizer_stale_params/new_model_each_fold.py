import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
    def forward(self, x):
        return self.layer(x)
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)  # <<
for fold in range(2):
    net = Net()  # <<
    for _ in range(3):
        loss = net(torch.randn(4, 3)).pow(2).mean()
        opt.zero_grad(); loss.backward(); opt.step()
