import torch

w = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
opt = torch.optim.Adam([w], lr=1e-2)
for _ in range(3):
    loss = (w.float() * torch.tensor([1.0, 1.0, 0.0])).square().sum()
    opt.zero_grad()
    loss.backward()
    opt.step()  # <<
