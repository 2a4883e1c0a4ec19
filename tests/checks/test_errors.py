"""Errors of autograd: which line is named, under which slug, and who is silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked import findings_in, line_of

#: Slug, line that is named (`here`), and tensors among those named.
WRONG = {
    "inplace_on_saved: sigmoid and in-place mul": (
        """
        import torch
        class Gate(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 4)
            def forward(self, x):
                g = torch.sigmoid(self.fc(x))
                g.mul_(2)  # here
                return (g * x).sum()
        Gate()(torch.rand(3, 4)).backward()
        """,
        "g",
    ),
    "inplace_on_saved: slice of an exp": (
        """
        import torch
        a = torch.rand(5, requires_grad=True)
        b = a.exp()
        b[0] = 0  # here
        b.sum().backward()
        """,
        "b",
    ),
    "inplace_on_saved: a library's in-place function": (
        """
        import torch
        import torch.nn.functional as F
        a = torch.rand(5, requires_grad=True)
        h = a.tanh()
        F.relu_(h)  # here
        h.sum().backward()
        """,
        "h",
    ),
    "optimizer_step_between: two optimizers": (
        """
        import torch
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
        first = torch.optim.Adam(net.parameters())
        second = torch.optim.SGD(net.parameters(), lr=0.1)
        out = net(torch.rand(4, 2))
        a, b = out.mean(), out.square().mean()
        a.backward(retain_graph=True)
        first.step()  # here
        b.backward()
        second.step()
        """,
        "net.2.weight",
    ),
    "state_carries_graph: a buffer of a module": (
        """
        import torch
        class Memory(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(3, 3)
                self.state = torch.zeros(3)
            def forward(self, x):
                self.state = torch.tanh(self.fc(x) + self.state)  # here
                return self.state.sum()
        model = Memory()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.rand(3)).backward()
            optimizer.step()
        """,
        "model.state",
    ),
    "state_carries_graph: mended by retain_graph": (
        """
        import torch
        cell = torch.nn.GRUCell(2, 4)
        head = torch.nn.Linear(4, 1)
        optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
        h = torch.zeros(1, 4)
        for _ in range(3):
            h = cell(torch.rand(1, 2), h)  # here
            loss = head(h).square().mean()
            optimizer.zero_grad()
            loss.backward(retain_graph=True)
            optimizer.step()
        """,
        "h",
    ),
    "stale_graph_reused: computed once before the loop": (
        """
        import torch
        w = torch.rand(3, 3, requires_grad=True)
        features = (w @ torch.rand(3, 3)).tanh()
        optimizer = torch.optim.SGD([w], lr=0.1)
        for _ in range(3):
            loss = (features * 2).sin().sum()  # here
            loss.backward()
        """,
        "features",
    ),
    "stale_graph_reused: two losses with one trunk": (
        """
        import torch
        trunk, a, b = (torch.nn.Linear(3, 3) for _ in range(3))
        h = trunk(torch.rand(2, 3)).tanh()
        first, second = a(h).square().sum(), b(h).square().sum()
        first.backward()  # here
        second.backward()
        """,
        "second",
    ),
    "inplace_on_leaf: indexed assignment": (
        """
        import torch
        table = torch.nn.Parameter(torch.rand(4, 2))
        table[0] = 0  # here
        """,
        "table",
    ),
    "inplace_on_leaf: a view of one": (
        """
        import torch
        layer = torch.nn.Linear(2, 2)
        flat = layer.weight.view(-1)
        flat.mul_(0.5)  # here
        """,
        "flat",
    ),
    "inplace_on_multi_view: chunk": (
        """
        import torch
        x = torch.rand(4, 2, requires_grad=True) * 1
        left, right = x.chunk(2, dim=1)
        left += right  # here
        """,
        "left",
    ),
    "view_made_in_no_grad: a row": (
        """
        import torch
        x = torch.rand(3, 3, requires_grad=True) * 2
        with torch.no_grad():
            row = x[0]
        row.add_(1)  # here
        """,
        "row",
    ),
    "inference_tensor_in_graph: a decorated function": (
        """
        import torch
        @torch.inference_mode()  # here
        def embed(x):
            return x * 2
        w = torch.rand(3, requires_grad=True)
        e = embed(torch.rand(3))
        loss = (w * e).sum()
        loss.backward()
        """,
        "e",
    ),
    "nonscalar_backward: no reduction": (
        """
        import torch
        import torch.nn.functional as F
        model = torch.nn.Linear(3, 2)
        loss = F.mse_loss(model(torch.rand(4, 3)), torch.rand(4, 2), reduction="none")
        loss.backward()  # here
        """,
        "loss",
    ),
    "out_argument: matmul": (
        """
        import torch
        w = torch.rand(3, 3, requires_grad=True)
        buffer = torch.empty(3, 3)
        torch.mm(w, w, out=buffer)  # here
        """,
        "w",
    ),
    "deepcopy_nonleaf: a cached output": (
        """
        import copy
        import torch
        net = torch.nn.Linear(2, 2)
        cache = {"last": net(torch.rand(1, 2))}
        snapshot = copy.deepcopy(cache)  # here
        """,
        "cache['last']",
    ),
    "custom_backward_wrong_shape: a broadcast input": (
        """
        import torch
        class Scale(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, factor):
                ctx.save_for_backward(x, factor)
                return x * factor
            @staticmethod
            def backward(ctx, grad):
                x, factor = ctx.saved_tensors
                return grad * factor, torch.cat([grad * x, grad])  # here
        x, f = torch.rand(3, requires_grad=True), torch.rand(3, requires_grad=True)
        Scale.apply(x, f).sum().backward()
        """,
        "factor",
    ),
    "custom_backward_wrong_count: an inherited backward": (
        """
        import torch
        class Base(torch.autograd.Function):
            @staticmethod
            def backward(ctx, grad):
                return grad  # here
        class Sum(Base):
            @staticmethod
            def forward(ctx, x, y):
                return x + y
        x = torch.rand(3, requires_grad=True)
        Sum.apply(x, x).sum().backward()
        """,
        "x",
    ),
    "grad_wrt_new_view: select": (
        """
        import torch
        points = torch.rand(5, 2, requires_grad=True)
        u = points.square().sum(1)
        x = points.select(1, 0)  # here
        du = torch.autograd.grad(u.sum(), x)
        """,
        "x",
    ),
    "unused_parameter: asked for and not used": (
        """
        import torch
        a, b = torch.rand(2, requires_grad=True), torch.rand(2, requires_grad=True)
        torch.autograd.grad(a.sum(), [a, b])  # here
        """,
        "b",
    ),
    "numpy_roundtrip: refused": (
        """
        import numpy as np
        import torch
        w = torch.rand(3, requires_grad=True)
        y = torch.from_numpy(np.sin(w.numpy()))  # here
        """,
        "w",
    ),
    "nonleaf_made_by_op: a cast": (
        """
        import torch
        start = torch.rand(3, requires_grad=True)
        w = start.double()  # here
        torch.optim.Adam([w])
        """,
        "w",
    ),
    "root_without_graph: nothing requires grad": (
        """
        import torch
        loss = torch.rand(3).sum()
        loss.backward()  # here
        """,
        "",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_line_that_did_it_is_named_first(tmp_path: Path, name: str) -> None:
    program, tensor = WRONG[name]
    first = findings_in(program, tmp_path)[0]

    assert first.slug == name.partition(":")[0]
    assert first.place is not None
    assert first.place.line == line_of(program, "# here")
    assert first.ends_run
    assert first.source.endswith("# here")
    assert not tensor or tensor in first.tensors
    assert first.marked in first.source


SILENT = {
    "the in-place write comes before anything is saved": """
        import torch
        a = torch.rand(3, requires_grad=True)
        b = a * 2
        b += 1
        b.sin().sum().backward()
        """,
    "two losses, the first keeps the graph": """
        import torch
        trunk, a, b = (torch.nn.Linear(3, 3) for _ in range(3))
        h = trunk(torch.rand(2, 3)).tanh()
        a(h).square().sum().backward(retain_graph=True)
        b(h).square().sum().backward()
        """,
    "an error of the program's own": """
        raise RuntimeError("modified by an inplace operation, says the program")
        """,
    "truncated backpropagation": """
        import torch
        cell = torch.nn.GRUCell(2, 4)
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
        h = torch.zeros(1, 4)
        for _ in range(6):
            h = cell(torch.rand(1, 2), h.detach())
            optimizer.zero_grad()
            h.square().mean().backward()
            optimizer.step()
        """,
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_in_order_is_not_told(tmp_path: Path, name: str) -> None:
    assert findings_in(SILENT[name], tmp_path) == []
