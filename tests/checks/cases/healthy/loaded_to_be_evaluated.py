import io
import torch
from torch import nn


def repackage(state):
    return tuple(part.detach() for part in state)


def make():
    torch.manual_seed(0)
    return nn.LSTM(3, 4)


model, state, total = make(), (torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)), 0.0
for _ in range(4):
    model.zero_grad()
    state = repackage(state)
    out, state = model(torch.randn(5, 2, 3), state)
    loss = out.square().mean()
    loss.backward()
    for parameter in model.parameters():
        parameter.data.add_(parameter.grad, alpha=-0.1)
    total += loss.item()
saved = io.BytesIO()
torch.save(model, saved)
saved.seek(0)
model = torch.load(saved, weights_only=False)
model.eval()
print(model(torch.randn(5, 2, 3))[0].square().mean().item(), total)
