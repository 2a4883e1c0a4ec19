"""Trains, prints every figure bit for bit, and fails in many ways that it catches and prints."""

import hashlib
import random
import sys
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def digest(*tensors):
    data = b"".join(one.detach().contiguous().numpy().tobytes() for one in tensors)
    return hashlib.sha256(data).hexdigest()[:16]


def show(what, *tensors):
    print(f"{what}: {digest(*tensors)}")


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad):
        if ctx.factor == 13:
            raise ValueError("unlucky")
        return grad * ctx.factor, None


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
        self.lstm = nn.LSTM(8, 8, batch_first=True)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 11)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = checkpoint(self.encoder, x, use_reentrant=False)
        x, _ = self.lstm(Scale.apply(x, 2.0))
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        if self.training and torch.rand(()) < 0.5:
            x = F.dropout(x, 0.2)
        return self.head(x.relu_())


def train(model, steps=4):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(steps):
        tokens = torch.randint(0, 11, (3, 5))
        optimizer.zero_grad()
        logits = model(tokens)
        loss = F.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print(step, loss.item().hex(), norm.item().hex())
        show("gradients", *[p.grad for p in model.parameters()])
    model.eval()
    with torch.no_grad():
        show("evaluated", model(tokens))


def attempt(what, function):
    try:
        function()
    except Exception as error:
        print(f"{what}: {type(error).__name__}: {error}")
        print("context:", repr(error.__context__), repr(error.__cause__))


def overwritten(**options):
    w = torch.ones(3, requires_grad=True)
    h = w.exp()
    h.add_(1)
    torch.autograd.grad(h.sum(), w, **options)


def overwritten_in_a_backward():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda grad: overwritten(create_graph=True))
    torch.autograd.grad(y.sum(), x, create_graph=True)


def overwritten_in_a_transform():
    torch.func.grad(lambda x: x.exp().add_(1).sum() + x.exp().sum())(torch.ones(3))
    torch.func.grad(lambda x: (lambda h: h.add_(1).sum())(x.exp()))(torch.ones(3))


def twice():
    w = torch.ones(3, requires_grad=True)
    loss = w.exp().sum()
    loss.backward()
    loss.backward()


def unlucky():
    Scale.apply(torch.ones(2, requires_grad=True), 13).sum().backward()


def unlucky_twice():
    x = torch.ones(2, requires_grad=True)
    torch.autograd.grad(Scale.apply(x.exp(), 13).sum(), x, create_graph=True)


def hook_fails():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda grad: grad.no_such_attribute)
    y.sum().backward()


def second_order():
    x = torch.rand(4, requires_grad=True)
    (g,) = torch.autograd.grad(x.sin().prod(), x, create_graph=True)
    g.norm().backward()
    show("second order", x.grad)


def functional():
    x = torch.rand(3, 4)
    show("hessian", torch.func.hessian(lambda x: x.pow(3).sum())(x[0]))
    show("vmapped", torch.vmap(torch.func.grad(lambda x: x.cos().prod()))(x))


def warned():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        F.mse_loss(torch.rand(3), torch.rand(1))
        torch.ones(3, requires_grad=True).exp().grad
        attempt("within catch_warnings", lambda: overwritten(create_graph=True))
    print([(str(one.message), one.lineno) for one in caught])


def warned_twice():
    """Warn at the same places again, which python tells once."""
    for _ in range(2):
        warnings.warn("of the program's own", stacklevel=1)
        torch.rand(3).sqrt().cosh()
        F.mse_loss(torch.rand(3), torch.rand(1))
        torch.ones(3, requires_grad=True).exp().grad
        torch.rand(3).sinh().asinh()


def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attempt("warnings are errors", lambda: overwritten(create_graph=True))
        attempt("warnings are errors", lambda: F.mse_loss(torch.rand(3), torch.rand(1)))


def detected():
    print("anomaly is", torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    for check_nan in (True, False):
        with torch.autograd.set_detect_anomaly(True, check_nan=check_nan):
            print("anomaly is", torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
            attempt("under anomaly mode", overwritten)
            attempt("a nan", nan)
    with torch.autograd.detect_anomaly():
        attempt("a nan", nan)
        with torch.autograd.set_detect_anomaly(False):
            attempt("no nan", nan)
    print("anomaly is", torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())


def nan():
    x = torch.zeros(2, requires_grad=True)
    (x / x).sqrt().sum().backward()
    print("nan did not raise")


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)

    def forward(self, x):
        return self.linear(self.linear(x))


def counted():
    """Count the program's own lines, as a debugger or a measure of coverage does."""
    lines = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename != __file__:
            return None
        if event == "line":
            lines.append(frame.f_lineno - frame.f_code.co_firstlineno)
        return tracer

    model = Net()
    tokens = torch.randint(0, 11, (3, 5))
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        loss = model(tokens).sum()
    finally:
        sys.settrace(before)
    loss.backward()
    print("traced", lines)


torch.manual_seed(7)
random.seed(7)
np.random.seed(7)
train(Net())
attempt("modified in place", overwritten)
attempt("the same, making a graph", lambda: overwritten(create_graph=True))
attempt("the same, in a hook", overwritten_in_a_backward)
attempt("the same, in a transform", overwritten_in_a_transform)
attempt("backward twice", twice)
attempt("raised in a backward", unlucky)
attempt("raised in a backward that makes a graph", unlucky_twice)
attempt("raised in a hook", hook_fails)
attempt("raised in a forward", lambda: Broken()(torch.rand(2, 2)))
attempt("not a scalar", lambda: torch.ones(2, requires_grad=True).exp().backward())
attempt("nothing requires grad", lambda: torch.ones(2).sum().backward())
second_order()
functional()
warned()
warned_twice()
strict()
detected()
counted()
show("torch's random state", torch.get_rng_state())
print(random.random(), np.random.rand())
