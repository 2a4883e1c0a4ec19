import torch
shape = torch.ones(1, requires_grad=True)
rate = torch.ones(1, requires_grad=True)
opt = torch.optim.Adam([shape, rate])
survival = torch.special.gammaincc(shape, rate * torch.tensor([.5, 2.]))  # <<
loss = -survival.log().sum()
loss.backward()
opt.step()
