import torch

rate = torch.tensor(-2.0, requires_grad=True)
optimizer = torch.optim.Adam([rate], lr=0.05)
for _ in range(2):
    a, b = torch.randn(8, 5), torch.randn(8)
    w, total = torch.zeros(5, requires_grad=True), 0.0
    for _ in range(5):
        loss = (a @ w - b).square().mean()
        (g,) = torch.autograd.grad(loss, w, create_graph=True)
        w = w - rate.exp() * g
        total = total + loss
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
