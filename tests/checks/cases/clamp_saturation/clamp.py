import torch
from torch import nn


class Temp(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_t = nn.Parameter(torch.tensor(7.0))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        scale = self.log_t.clamp(max=4.6).exp()  # <<
        return self.fc(x) * scale


torch.manual_seed(0)
net = Temp()
opt = torch.optim.SGD(net.parameters(), 0.01)
for _ in range(4):
    loss = nn.functional.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
