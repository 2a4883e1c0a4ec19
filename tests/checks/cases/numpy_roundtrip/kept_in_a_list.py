import numpy as np
import torch
from torch.distributions import Categorical
logits = torch.zeros(3, requires_grad=True)
opt = torch.optim.Adam([logits], lr=.1)
for _ in range(3):
    log_probs, rewards = [], []
    for _ in range(4):
        choice = Categorical(logits=logits)
        arm = choice.sample()
        log_probs.append(choice.log_prob(arm).detach().numpy())  # <<
        rewards.append(float(arm.item() == 2))
    loss = -torch.from_numpy(np.array(log_probs) * np.array(rewards)).sum()
    loss.requires_grad = True
    opt.zero_grad()
    loss.backward()
    opt.step()
