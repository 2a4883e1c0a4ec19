import torch

score = torch.nn.Parameter(torch.zeros(2, 3))
free = torch.ones(2, 3)
total = torch.zeros(2)
for _ in range(4):
    logp = torch.log_softmax(score + free.log(), -1)  # <<
    pick = logp.argmax(-1, keepdim=True)
    total = total + logp.gather(1, pick).squeeze(1)
    free = free.scatter(1, pick, 0.0)
total.sum().backward()
