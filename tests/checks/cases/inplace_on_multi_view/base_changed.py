import torch

box = torch.rand(5, 4, requires_grad=True) * 2
centre, size = box.split(2, dim=1)
box += 1
area = size.exp().prod(1)  # <<
(area.sum() + centre.sum()).backward()
