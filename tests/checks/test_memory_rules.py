"""Graphs that outlive their step: who keeps them, and who does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked import findings_in, line_of

LOOP = """
        import torch
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        kept, total, state = [], 0.0, torch.zeros(1)
        for step in range(6):
            out = model(torch.rand(5, 4))
            loss = out.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""

WRONG = {
    "accumulated_loss_graph": LOOP + "            total += loss  # here\n",
    "stored_tensor_keeps_graph": LOOP + "            kept.append(out)  # here\n",
    "stored_tensor_keeps_graph: in a dict, never run backward": LOOP
    + "            seen = globals().setdefault('seen', {})\n"
    + "            seen[step] = model(torch.rand(5, 4)).mean()  # here\n",
    "graph_grows_over_steps": LOOP.replace("torch.rand(5, 4)", "torch.rand(5, 4) + state")
    .replace("backward()", "backward(retain_graph=True)")
    .replace("optimizer.step()", "pass")
    + "            state = (state + out.mean()).tanh()  # here\n",
    "create_graph_in_grad": LOOP.replace("backward()", "backward(create_graph=True)  # here"),
    "grad_carries_graph": """
        import torch
        w = torch.nn.Parameter(torch.rand(3))
        model = torch.nn.ParameterList([w])
        (g,) = torch.autograd.grad(w.square().sum(), [w], create_graph=True)
        w.grad = g * 2  # here
        """,
    "ctx_attribute_tensor": """
        import torch
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.scale = 2
                ctx.x = x * 1  # here
                return x * x
            @staticmethod
            def backward(ctx, grad):
                return ctx.scale * ctx.x * grad
        losses = []
        x = torch.rand(3, dtype=torch.float64, requires_grad=True)
        for _ in range(3):
            loss = Square.apply(x).sum()
            loss.backward()
            losses.append(loss)
        """,
    "redundant_saved_tensor": """
        import torch
        x = torch.rand(64, 64, requires_grad=True)
        big = (x * 1).repeat(64, 1, 1)  # here
        (big.sin() * torch.rand(64, 64, 1)).max(0).values.sum().backward()
        """,
}


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
@pytest.mark.parametrize("name", WRONG)
def test_what_keeps_a_graph_is_named(tmp_path: Path, name: str) -> None:
    program = WRONG[name]
    first = findings_in(program, tmp_path)[0]

    assert first.slug == name.partition(":")[0]
    assert first.place is not None
    lines = [first.place.line, *(one.place.line for one in first.related)]
    assert line_of(program, "# here") in lines[: 3 if "grows" in name else 1]
    assert not first.ends_run


SILENT = {
    "numbers": LOOP + "            total += loss.item()\n            kept.append(loss.item())\n",
    "detached": LOOP + "            kept.append(out.detach())\n",
    "losses whose graph is used up": LOOP + "            kept.append(loss)\n",
    "the last few of a step": LOOP + "            kept = [out, out * 2, out * 3, loss]\n",
    "without gradients": LOOP
    + "            with torch.no_grad():\n                kept.append(model(torch.rand(5, 4)))\n",
    "a sum within one step": LOOP.replace("loss.backward()", "(loss + 0.1 * out.sum()).backward()"),
    "weights": LOOP + "            kept.append(model[0].weight)\n",
}


@pytest.mark.parametrize("name", SILENT)
def test_what_keeps_none_is_not_told(tmp_path: Path, name: str) -> None:
    assert findings_in(SILENT[name], tmp_path) == []
