import torch

x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)


def sinc(x):
    ratio = torch.sin(x) / x  # <<
    return torch.where(x == 0, torch.ones_like(x), ratio)  # <<


sinc(x).sum().backward()
