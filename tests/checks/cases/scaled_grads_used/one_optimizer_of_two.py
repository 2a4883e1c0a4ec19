import torch

torch.manual_seed(0)
body, head = torch.nn.Linear(4, 8), torch.nn.Linear(8, 1)
first = torch.optim.SGD(body.parameters(), lr=0.01)
second = torch.optim.SGD(head.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for _ in range(4):
    loss = head(body(torch.randn(16, 4)).tanh()).pow(2).mean()
    first.zero_grad()
    second.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(first)
    second.step()  # <<
    scaler.update()
