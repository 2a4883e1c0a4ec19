import torch
import torch.nn.functional as F

q = torch.nn.Parameter(torch.zeros(2, 4, dtype=torch.float16))
unit = F.normalize(q, dim=-1)  # <<
unit.float().sum().backward()
