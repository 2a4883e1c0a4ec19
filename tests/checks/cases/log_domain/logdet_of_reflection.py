import torch

w = torch.nn.Parameter(torch.diag(torch.tensor([1.0, -1.0])))
loss = -torch.logdet(w)  # <<
loss.backward()
