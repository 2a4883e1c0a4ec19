import torch, numpy as np
from torch import nn
net = nn.Linear(3, 2)
o = torch.optim.SGD(net.parameters(), lr=.1)
y = net(torch.randn(5, 3))
loss = torch.as_tensor(np.log1p(y.numpy()).mean())  # <<
loss.backward()
