import torch


class Slowly(torch.optim.Optimizer):
    def __init__(self, base):
        self.base = base
        super().__init__(base.param_groups, {})
        self.param_groups = base.param_groups

    def step(self, closure=None):
        self.base.step()


torch.manual_seed(0)
layer = torch.nn.Linear(4, 1)
optimizer = Slowly(torch.optim.SGD(layer.parameters(), lr=0.01))
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for _ in range(4):
    loss = layer(torch.randn(16, 4)).pow(2).mean()
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
