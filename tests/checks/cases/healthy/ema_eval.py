import torch, copy
from torch import nn
m = nn.Linear(3, 1); o = torch.optim.Adam(m.parameters()); best = None
for ep in range(4):
    o.zero_grad(); l = m(torch.randn(4, 3)).pow(2).mean(); l.backward(); o.step()
    with torch.no_grad():
        acc = (m(torch.randn(4, 3)) > 0).float().mean()
    best = copy.deepcopy(m.state_dict())
    m.load_state_dict(best)
    print(l.item(), float(acc), m.weight.detach().numpy().sum(), m.weight.data.mean())
