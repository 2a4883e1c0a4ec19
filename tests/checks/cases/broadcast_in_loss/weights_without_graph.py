import torch

torch.manual_seed(0)
policy, value = torch.nn.Linear(4, 3), torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD([*policy.parameters(), *value.parameters()], lr=0.01)
for _ in range(4):
    seen, returns = torch.randn(16, 4), torch.randn(16)
    chosen = policy(seen).log_softmax(-1)[torch.arange(16), torch.randint(3, (16,))]
    guess = value(seen)
    advantage = returns - guess.detach()  # <<
    loss = -(chosen * advantage).mean() + (guess.squeeze(-1) - returns).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
