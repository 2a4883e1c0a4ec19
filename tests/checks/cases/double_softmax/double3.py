import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
net = nn.Linear(4, 3)
probs = net(torch.randn(8, 4)).softmax(1)  # <<
onehot = functional.one_hot(torch.randint(0, 3, (8,)), 3).float()
loss = functional.cross_entropy(probs, onehot, label_smoothing=0.1)  # <<
loss.backward()
