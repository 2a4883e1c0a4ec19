import torch

x = torch.nn.Parameter(torch.tensor([0.0, 0.3]))


def curve(x):
    high = (x - 0.1) ** 0.4  # <<
    y = torch.where(x > 0.1, high, x)  # <<
    assert not torch.isnan(y).any()
    return y


curve(x).sum().backward()
