import torch

w = torch.nn.Parameter(torch.tensor([9.0, 0.1], dtype=torch.bfloat16))
z = torch.logit(torch.sigmoid(w), eps=1e-6)  # <<
z.float().abs().mean().backward()
