"""Operations of which none is like the next, on random ones before: `unlike.py COUNT`."""

import random
import sys

import torch

count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
draw = random.Random(0)
x = torch.linspace(0.1, 1, 4, requires_grad=True)
alone = [torch.sin, torch.cos, torch.tanh, torch.sigmoid, torch.atan, torch.erf, torch.square]
paired = [torch.add, torch.sub, torch.mul, torch.maximum, torch.minimum, torch.hypot]
made, open_ends = [x], {0}
while len(made) < count:
    if draw.random() < 0.4:
        inputs = [draw.randrange(max(len(made) - 50, 0), len(made))]
        made.append(draw.choice(alone)(made[inputs[0]]))
    else:
        inputs = [draw.randrange(max(len(made) - 50, 0), len(made)) for _ in range(2)]
        made.append(torch.tanh(draw.choice(paired)(*(made[one] for one in inputs))))
    open_ends.difference_update(inputs)
    open_ends.add(len(made) - 1)
loss = torch.stack([made[end] for end in sorted(open_ends)]).sum()
loss.backward()
