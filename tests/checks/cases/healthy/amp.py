import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), 0.1)
sc = torch.amp.GradScaler("cpu", init_scale=2.0**40)
for _ in range(12):
    with torch.autocast("cpu", dtype=torch.float16):
        loss = net(torch.randn(4, 8)).pow(2).mean()
    opt.zero_grad()
    sc.scale(loss).backward()
    sc.unscale_(opt)
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    sc.step(opt)
    sc.update()
