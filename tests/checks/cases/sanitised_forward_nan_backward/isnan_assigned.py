import torch

p = torch.nn.Parameter(torch.tensor([0.2, 0.9]))
angle = torch.asin(2.0 * p)  # <<
angle[torch.isnan(angle)] = 0.0  # <<
angle.sum().backward()
