"""A few steps of training, to the last bit, under its own thread count."""
import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch

print(torch.get_num_threads(), type(torch.__spec__), torch.__loader__ is torch.__spec__.loader)
torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    optimizer.zero_grad()
    loss = model(torch.randn(4, 3)).square().mean()
    loss.backward()
    optimizer.step()
    print(step, loss.item().hex())
