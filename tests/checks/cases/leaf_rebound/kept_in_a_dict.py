import torch
params = {"a": torch.zeros(2, requires_grad=True)}
for _ in range(3):
    (params["a"] - 1).pow(2).sum().backward()
    for name, p in params.items():
        params[name] = p - 0.1 * p.grad  # <<
