"""The same from Python: trace a tensor, look at it, save it, load it again.

Try:
    python samples/library_use.py

Look at: `trace` needs no backward and leaves `.grad` alone; with `backward=True` it computes the
gradients on the side. A capture is plain data: it prints itself, a notebook shows it as a picture,
and it is read without torch.
"""

import tempfile
from pathlib import Path

import torch
from torch import nn

import autograd_inspect

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
loss = model(torch.randn(32, 8)).square().mean()

capture = autograd_inspect.trace(loss, model, backward=True)
print("gradients stay untouched:", model[0].weight.grad is None)

graph = capture.graph
print(f"{len(graph)} nodes, {graph.edge_count} edges, {graph.depth} deep")
for root in graph.roots:
    print("root:", root.name, root.node.op)
for row in autograd_inspect.grads(capture, sort="norm", top=2):
    print(f"{row.name}: norm {row.norm:.4f}, {row.zeros} of {row.count} zero")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "loss.agi")
    capture.save(path)
    loaded = autograd_inspect.load(path)
print(autograd_inspect.show(loaded))

picture = autograd_inspect.render(loaded, "svg")
print(f"a picture: {picture[:4]}...{picture.rstrip()[-6:]}, {picture.count('<text')} texts")
