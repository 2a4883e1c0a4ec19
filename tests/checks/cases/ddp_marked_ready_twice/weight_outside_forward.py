import os
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class Tasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 2)
        self.spread = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.body(x)


store = os.path.join(tempfile.mkdtemp(), "store")
dist.init_process_group("gloo", init_method=f"file://{store}", rank=0, world_size=1)
try:
    model = DistributedDataParallel(Tasks(), find_unused_parameters=True)
    errors = model(torch.rand(4, 3)).square().mean(0)
    loss = (errors * torch.exp(-model.module.spread)).sum()  # <<
    loss.backward()
finally:
    dist.destroy_process_group()
