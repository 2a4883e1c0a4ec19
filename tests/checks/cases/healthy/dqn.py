import torch, copy
from torch import nn
q = nn.Linear(4, 2); tq = copy.deepcopy(q); o = torch.optim.Adam(q.parameters())
for i in range(5):
    s = torch.randn(8, 4)
    a = q(s).argmax(1)
    target = torch.randn(8) + .9 * tq(torch.randn(8, 4)).max(1).values.detach()
    loss = nn.functional.smooth_l1_loss(q(s).gather(1, a[:, None]).squeeze(1), target)
    o.zero_grad(); loss.backward(); o.step()
    if i % 2 == 0: tq.load_state_dict(q.state_dict())
