"""Compiles functions and modules, with and without graph breaks, and prints what became of them."""

import torch
import torch._dynamo.utils
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x).relu()


class Breaking(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def forward(self, x):
        x = self.net(x).sin()
        if x.sum() > 0:
            x = x * 2
        torch._dynamo.graph_break()
        return self.net(x).cos()


def made_of(node):
    names = []
    nodes, known = [node], {node}
    for one in nodes:
        names.append(type(one).__name__)
        for following, _ in one.next_functions:
            if following is not None and following not in known:
                known.add(following)
                nodes.append(following)
    return sorted(names)


torch.manual_seed(0)
x = torch.randn(3, 4)
sequential = nn.Sequential(Net(), Net())
sequential.compile(backend="aot_eager")
layers = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
layers.compile(backend="aot_eager")
inplace = Net()
inplace.compile(backend="aot_eager")
models = {
    "whole": torch.compile(Net(), backend="aot_eager", fullgraph=True),
    "breaking": torch.compile(Breaking(), backend="aot_eager"),
    "in place": inplace,
    "a container in place": sequential,
    "layers of torch in place": layers,
    "function": torch.compile(lambda x: x.sin() * w, backend="eager"),
}
w = torch.randn(4, requires_grad=True)
for name, model in models.items():
    for _ in range(2):
        loss = model(x).sum()
        nodes = made_of(loss.grad_fn)
        loss.backward()
        print(name, loss.item().hex(), nodes)
    for part in ("frames", "stats", "graph_break", "unimplemented"):
        print("  ", part, dict(torch._dynamo.utils.counters[part]))
explained = torch._dynamo.explain(Breaking())(x)
print(explained.graph_count, explained.graph_break_count, explained.op_count)
