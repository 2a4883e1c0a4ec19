import torch

layer = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
hidden = torch.zeros(4, 2)
for _ in range(3):
    with torch.no_grad():
        first = hidden[0]
    x = torch.randn(4, 3)
    hidden.copy_(layer(x))
    loss = hidden.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    hidden = hidden.detach()
