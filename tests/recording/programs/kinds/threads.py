"""Threads that each build a part of the graph."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn


def work(index):
    results[index] = model(w * index).sin()  # makes: MulBackward0 SinBackward0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x)  # makes: AddmmBackward0 TBackward0


class Worker(threading.Thread):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def run(self):
        self.result = self.x.cos()  # makes: CosBackward0


model = Net()
w = torch.randn(3, 2, requires_grad=True)
results = {}
threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
worker = Worker(w)
worker.start()
worker.join()
with ThreadPoolExecutor(2) as pool:
    futures = [pool.submit(torch.exp, w), pool.submit(lambda: w.log1p())]  # makes: Log1PBackward0
    pooled = [future.result() for future in futures]
outs = [results[index] for index in range(4)]
loss = torch.stack([*outs, worker.result, *pooled]).sum()  # makes: StackBackward0 SumBackward0
