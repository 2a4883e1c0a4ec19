import torch
from torch import nn
make, judge = nn.Linear(2, 3), nn.Linear(3, 1)
opt_m = torch.optim.Adam(make.parameters())
opt_j = torch.optim.Adam(judge.parameters())
def step_judge(real, fake):
    loss = judge(fake.detach()).mean() - judge(real).mean()
    opt_j.zero_grad()
    loss.backward()
    opt_j.step()
def step_make(noise):
    for p in judge.parameters():
        p.requires_grad = False  # <<
    opt_m.zero_grad()
    (-judge(make(noise)).mean()).backward()
    opt_m.step()
for _ in range(2):
    step_judge(torch.randn(4, 3), make(torch.randn(4, 2)))
    step_make(torch.randn(4, 2))
