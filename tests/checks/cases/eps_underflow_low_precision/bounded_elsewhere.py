import torch


def bounded(p):
    return p.clamp(1e-8, 1 - 1e-8)  # <<


w = torch.nn.Parameter(torch.tensor([40.0, 0.1]))
loss = -torch.log(1 - bounded(torch.sigmoid(w))).mean()
loss.backward()
