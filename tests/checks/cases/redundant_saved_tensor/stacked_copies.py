import torch

codes = torch.nn.Parameter(torch.randn(64, 32))
z = torch.randn(256, 32)
books = torch.stack([codes * 1.0] * 256)  # <<
(z[:, None] * books).norm(dim=-1).mean().backward()
