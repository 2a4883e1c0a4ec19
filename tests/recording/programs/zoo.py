"""Modules called in every way; `losses` leads to the graph of each, under the name of its model."""

import functools
import threading

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
x = torch.randn(3, 4)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return x + helper(self, self.norm(x))


def helper(block, x):
    return block.linear(x).relu() * 2


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.ModuleList(nn.Sequential(Block(), nn.Sequential(nn.Tanh())) for _ in range(3))
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 2)})

    def forward(self, x):
        for layer in self.h:
            x = layer(x)
        return self.heads["a"](x) - self.heads["b"](x)


class Thrice(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = Block()

    def forward(self, x):
        x = self.shared(x)
        x = self.shared(x).sin()
        return self.shared(x)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        one = nn.Linear(4, 4)
        self.first = nn.Sequential(one, nn.Tanh())
        self.second = nn.Sequential(nn.Tanh(), one)

    def forward(self, x):
        return self.second(self.first(x))


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(8, 4)

    def forward(self, x, h):
        return torch.tanh(self.mix(torch.cat([x, h], 1)))


class Rnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell()

    def forward(self, x):
        h = torch.zeros_like(x)
        for _ in range(6):
            h = self.cell(x, h)
        return h


class Raising(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x, error=None):
        h = self.linear(x)
        if error is not None:
            error.h = h
            raise error
        return h.sin()


class Catching(nn.Module):
    def __init__(self):
        super().__init__()
        self.risky = Raising()
        self.tail = nn.Linear(4, 4)

    def forward(self, x):
        try:
            self.risky(x, ValueError())
        except ValueError as error:
            x = error.h.cos()
        return self.tail(self.risky(x))


class Reentrant(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x, again=True):
        x = self.linear(x)
        if again:
            x = self(x.sin(), again=False)
        return x.exp()


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = Block(), Block(), Block()

    def forward(self, x):
        x = checkpoint(self.first, x, use_reentrant=False)
        x = checkpoint(self.second, x, use_reentrant=True)
        return checkpoint(lambda x: self.third(x).sin(), x, use_reentrant=False)


class Direct(nn.Module):
    """Calls `forward` itself, which is no call of the module."""

    def __init__(self):
        super().__init__()
        self.inner = Block()

    def forward(self, x):
        return self.inner.forward(x)


class Borrowing(nn.Module):
    """Runs a module that it does not own."""

    def forward(self, x):
        return lender.inner(x).sin()


class Generating(nn.Module):
    """Hands out values one by one, while others are called in between."""

    def __init__(self):
        super().__init__()
        self.linear, self.other = nn.Linear(4, 4), nn.Linear(4, 4)

    def parts(self, x):
        for part in x.split(1):
            yield self.linear(part).sin()

    def forward(self, x):
        return torch.cat([self.other(part).cos() for part in self.parts(x)])


class Wide(nn.Module):
    """Deep in functions between one module call and the next, and within the same function."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def down(self, x, depth):
        x = x.sin()
        return self.down(x, depth - 1).cos() if depth else self.linear(x)

    def forward(self, x):
        return self.down(x, 9)


class Partial(nn.Module):
    """Calls made by library code: through map, partial and reduce."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = functools.reduce(lambda x, module: module(x), [self.a, self.b, self.a], x)
        return sum(map(functools.partial(self.b), x.split(1)))


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.lazy = nn.LazyLinear(4)

    def forward(self, x):
        return self.lazy(x).relu()


class Parametrized(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))

    def forward(self, x):
        return self.linear(x).relu()


class Slotted(nn.Module):
    """Overrides `__call__`."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def __call__(self, x):
        return super().__call__(x.sin()).cos()

    def forward(self, x):
        return self.linear(x)


def hooked():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].register_forward_hook(lambda module, inputs, output: output.sin())
    model[1].register_forward_pre_hook(lambda module, inputs: (extra(inputs[0]),))
    model[2].register_full_backward_hook(lambda module, grads, given: None)
    return model


extra = nn.Linear(4, 4)
mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
nested, thrice, tied, rnn = Nested(), Thrice(), Tied(), Rnn()
transformer = nn.Transformer(4, 2, 1, 1, 8, batch_first=True)
raising, catching, reentrant, checkpointed = Raising(), Catching(), Reentrant(), Checkpointed()
functional, hooks, direct, lender, borrowing = Block(), hooked(), Direct(), Direct(), Borrowing()
generating, wide, partial, lazy, parametrized = (
    Generating(),
    Wide(),
    Partial(),
    Lazy(),
    Parametrized(),
)
slotted, doubled, dropped = Slotted(), nn.Linear(4, 4), nn.Linear(4, 4)

losses = {
    "mlp": mlp(x),
    "nested": nested(x),
    "thrice": thrice(x),
    "tied": tied(x),
    "rnn": rnn(x),
    "transformer": transformer(x[None], x[None]),
    "catching": catching(x),
    "reentrant": reentrant(x),
    "checkpointed": checkpointed(x),
    "hooks": hooks(x),
    "direct": direct(x),
    "borrowing": borrowing(x),
    "generating": generating(x),
    "wide": wide(x),
    "partial": partial(x),
    "lazy": lazy(x),
    "parametrized": parametrized(x),
    "slotted": slotted(x),
}

for attempt in range(3):  # a training loop that is interrupted within a forward, and goes on
    try:
        losses["raising"] = raising(x, KeyboardInterrupt() if attempt == 1 else None)
    except KeyboardInterrupt as interrupt:
        kept = interrupt.h
losses["raising"] = losses["raising"] * kept.sum()

values = {name: value * 2 for name, value in functional.named_parameters()}
losses["functional"] = functional_call(functional, values, (x,)).sin()

doubled(x)  # leaves nothing in the graph, and does not count
with torch.no_grad():
    doubled(x)
losses["doubled"] = doubled(x) + doubled(x)


def in_a_thread(index):
    results[index] = threaded[index](x).sin()


threaded = nn.ModuleList([Block(), Block()])
results = {}
threads = [threading.Thread(target=in_a_thread, args=(index,)) for index in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
losses["threaded"] = results[0] + results[1]
