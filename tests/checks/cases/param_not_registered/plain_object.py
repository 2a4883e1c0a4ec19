import torch
from torch import nn
class Conv:
    def __init__(self):
        self.mix = nn.Linear(3, 3)
    def __call__(self, x):
        return self.mix(x).tanh()
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = Conv()  # <<
        self.out = nn.Linear(3, 1)
    def forward(self, x):
        return self.out(self.conv(x))
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    loss = net(torch.randn(4, 3)).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
