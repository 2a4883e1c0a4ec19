import torch

weights = {
    "w": torch.randn(4, 4).requires_grad_(),
    "b": torch.zeros(4, requires_grad=True),
}
optimizer = torch.optim.Adam(weights.values(), lr=1e-3)
for _ in range(3):
    x = torch.rand(8, 4)
    optimizer.zero_grad()
    inner = (x @ weights["w"] + weights["b"]).tanh().square().mean()
    inner.backward(create_graph=True)  # <<
    fast = {name: one - 0.1 * one.grad for name, one in weights.items()}
    (x @ fast["w"] + fast["b"] - x).square().mean().backward()
    optimizer.step()
