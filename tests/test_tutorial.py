"""What the tutorial on the fundamentals of autograd teaches can be seen with agi, number by number.

Each part runs one of the samples, or a few lines of its own, as a user would. The numbers come from
the analytic derivative or from torch itself, run here with the same seed; where it is the same
computation they are equal, not close.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from process import Done, run_agi
from torch import nn

import autograd_inspect

SAMPLES = Path(__file__).parents[1] / "samples"

Rows = dict[str, dict[str, Any]]
Agi = Callable[..., Done]


@pytest.fixture
def agi(tmp_path: Path) -> Agi:
    """Run agi in a directory with the samples; it has to end in status 0 unless told otherwise."""
    shutil.copytree(SAMPLES, tmp_path / "samples", ignore=shutil.ignore_patterns("__pycache__"))

    def call(*arguments: str, status: int = 0) -> Done:
        done = run_agi(*arguments, cwd=tmp_path)
        assert done.status == status, done.err
        return done

    return call


def rows_of(done: Done) -> Rows:
    """Read what `agi grads --json` printed, row by name."""
    table = json.loads(done.out)
    assert table["schema"] == "agi.grads/1"
    return {row["name"]: row for row in table["rows"]}


def rows_printed(done: Done) -> list[str]:
    """Give the lines of a tree that stand for nodes, without rails and signs."""
    tree, _, _ = done.out.partition("\n\n")
    return [
        line.lstrip("◉●○◆│├─ ") for line in tree.splitlines() if line.lstrip("│├─ ")[0] in "◉●○◆"
    ]


def operations(done: Done) -> list[str]:
    return [line.split()[0] for line in rows_printed(done)]


def figures(gradient: torch.Tensor) -> dict[str, float]:
    """Compute what a row says of a gradient, in double precision."""
    wide = gradient.double()
    return {
        "norm": wide.norm().item(),
        "mean": wide.sum().item() / wide.numel(),
        "min": wide.min().item(),
        "max": wide.max().item(),
        "zeros": int((wide == 0).sum()),
        "nan": 0,
        "inf": 0,
        "count": wide.numel(),
    }


def figures_in(row: Mapping[str, Any]) -> dict[str, float]:
    assert row["reason"] == "arrived"
    return {name: row[name] for name in figures(torch.ones(1))}


def per_decade(gradient: torch.Tensor) -> list[int]:
    """Count the values per power of ten of their size, from 1e-12 to 1e4."""
    counted, _ = np.histogram(gradient.double().abs().log10(), bins=np.arange(-12, 5))
    return counted.tolist()


def reasons(rows: Rows) -> dict[str, str]:
    return {name: row["reason"] for name, row in rows.items()}


def test_sine_chain_has_five_nodes_its_sum_is_25_and_its_gradient_is_two_cosines(agi: Agi) -> None:
    traced = agi(
        *("trace", "--tree", "--keep-running", "--retain", "scaled", "samples/sine_chain.py:out")
    )
    shown, info, grads = (
        agi("show", "--tree"),
        json.loads(agi("info").out),
        rows_of(agi("grads", "--json")),
    )

    angle = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
    out = (2 * angle.sin() + 1).sum()
    out.backward()
    gradient = 2 * angle.detach().cos()
    assert torch.equal(angle.grad, gradient)

    assert traced.out.startswith("out = 25.0000\n")
    assert out.item() == pytest.approx(25, abs=1e-5)
    assert operations(shown) == [
        "sum",
        "add",
        "mul",
        "sin",
        "AccumulateGrad",
    ]
    rows = [line.split() for line in rows_printed(shown)]
    assert [row[:3] for row in rows[:-1]] == [
        ["sum", "→", "out"],
        ["add", "→", "shifted"],
        ["mul", "→", "scaled"],
        ["sin", "→", "wave"],
    ]
    assert rows[-1][1] == "angle"
    # What arrives at each is 1, then ones of 25 elements twice, then twos.
    where = [
        (f"sine_chain.py:{line}", norm) for line, norm in ((23, 1), (22, 5), (21, 5), (20, 10))
    ]
    assert [tuple(row[-2:]) for row in rows[:4]] == [(line, f"∇{norm}") for line, norm in where]
    assert traced.out.endswith(shown.out)
    counted = ("nodes", "edges", "undefined_edges", "leaves", "depth")
    assert [info[name] for name in counted] == [5, 4, 2, 1, 5]
    assert (info["call"], info["number"], info["backward"]) == ("backward", 1, "script")
    line = (SAMPLES / "sine_chain.py").read_text().splitlines()[info["place"]["line"] - 1]
    assert line == "out.backward()"

    assert figures_in(grads["angle"]) == figures(gradient)
    assert grads["angle"]["shape"] == [25]
    assert (grads["angle"]["min"], grads["angle"]["max"]) == (-2, 2)
    # cos^2 adds up to half of the 24 steps of a turn; the 25th point is one more at its peak.
    assert grads["angle"]["norm"] == pytest.approx(math.sqrt(4 * (12 + 1)))
    assert grads["angle"]["mean"] == pytest.approx(2 / 25)
    assert grads["angle"]["histogram"] == per_decade(gradient)
    assert figures_in(grads["scaled"]) == figures(torch.ones(25))

    # Only the leaf has a gradient, but for the one that was asked for.
    assert reasons(grads) == {
        "scaled": "arrived",
        "angle": "arrived",
        "wave": "not_a_leaf",
        "shifted": "not_a_leaf",
    }
    assert grads["wave"]["explanation"] == "not a leaf: only leaves keep .grad"
    assert grads["wave"]["norm"] is None


class Reference:
    """The tiny model as `samples/tiny_model.py` makes it, trained by torch alone."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.hidden, self.readout = nn.Linear(1000, 100), nn.Linear(100, 10)
        self.batch, self.target = torch.randn(16, 1000), torch.randn(16, 10)
        self.parameters = {
            f"model.{name}.{kind}": getattr(layer, kind)
            for name, layer in (("hidden", self.hidden), ("readout", self.readout))
            for kind in ("weight", "bias")
        }

    def backward(self) -> None:
        self.prediction = self.readout(self.hidden(self.batch).relu())
        self.prediction.retain_grad()
        (self.prediction - self.target).square().sum().backward()

    def step(self) -> None:
        optimizer = torch.optim.SGD(self.parameters.values(), lr=1e-3)
        optimizer.step()
        optimizer.zero_grad()

    def figures(self) -> dict[str, dict[str, float]]:
        return {name: figures(tensor.grad) for name, tensor in self.parameters.items()}


def test_tiny_model_has_gradients_after_its_first_backward(agi: Agi) -> None:
    traced = agi("trace", "--tree", "samples/tiny_model.py:loss")
    rows = rows_of(agi("grads", "--json"))
    reference = Reference()
    reference.backward()

    assert {name: figures_in(row) for name, row in rows.items()} == reference.figures()
    assert {name: row["shape"] for name, row in rows.items()} == {
        "model.hidden.weight": [100, 1000],
        "model.hidden.bias": [100],
        "model.readout.weight": [10, 100],
        "model.readout.bias": [10],
    }
    assert not any(row["before"] for row in rows.values())
    assert operations(traced) == [
        "sum",
        "pow",
        "sub",
        "addmm",
        "AccumulateGrad",
        "t",
        "AccumulateGrad",
        "relu",
        "addmm",
        "AccumulateGrad",
        "t",
        "AccumulateGrad",
    ]
    assert rows_printed(traced)[3].split() == [
        *("addmm", "[16,", "10]", "readout", "(Linear)", "tiny_model.py:26"),
        f"∇{reference.prediction.grad.norm().item():.4g}",
    ]
    assert " in train, backward call 1 of the script" in traced.out


def test_tiny_model_has_none_before_backward(agi: Agi, tmp_path: Path) -> None:
    (tmp_path / "untrained.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "model = nn.Sequential(nn.Linear(1000, 100), nn.ReLU(), nn.Linear(100, 10))\n"
        "loss = (model(torch.randn(16, 1000)) - torch.randn(16, 10)).square().sum()\n"
    )
    traced = agi("trace", "--no-backward", "untrained.py:loss")
    rows = rows_of(agi("grads", "--json"))
    assert "backward was not run" in traced.out
    assert set(rows) == {"model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias"}
    assert set(reasons(rows).values()) == {"backward_not_run"}
    assert {row["norm"] for row in rows.values()} == {None}


def test_tiny_model_has_other_gradients_once_the_optimizer_has_moved_its_weights(agi: Agi) -> None:
    done = agi("grads", "--json", "--step", "2", "samples/tiny_model.py:loss")
    reference = Reference()
    reference.backward()
    first = reference.figures()
    reference.step()
    reference.backward()

    second = {name: figures_in(row) for name, row in rows_of(done).items()}
    assert second == reference.figures()
    assert all(second[name]["norm"] != first[name]["norm"] for name in first)
    assert not any(row["before"] for row in rows_of(done).values())
    assert done.err.startswith("step 1: loss ")  # the script's output makes way for the JSON


def test_gradients_that_nobody_clears_add_up(agi: Agi) -> None:
    rows = rows_of(
        agi("grads", "--json", "--step", "5", "samples/tiny_model.py:loss", "--", "--accumulate")
    )
    reference = Reference()
    reference.backward()
    once = reference.figures()
    for _ in range(4):
        reference.backward()

    assert {name: figures_in(row) for name, row in rows.items()} == reference.figures()
    assert all(row["before"] for row in rows.values())
    for name, row in rows.items():
        assert row["norm"] == pytest.approx(5 * once[name]["norm"])


def test_what_was_computed_before_requires_grad_went_off_keeps_its_graph(agi: Agi) -> None:
    start = "torch.ones(2, 3)"
    done = agi("trace", "--tree", "--grad-output", start, "samples/requires_grad_off.py:before")
    info, rows = json.loads(agi("info").out), rows_of(agi("grads", "--json"))
    assert operations(done) == ["mul", "AccumulateGrad"]
    assert rows_printed(done)[1].endswith("requires_grad=False")
    assert reasons(rows) == {"switched": "requires_no_grad"}
    # torch runs this backward without complaint: it leaves the leaf out.
    assert (info["backward"], info["error"]) == ("agi", "")


def test_what_was_computed_after_requires_grad_went_off_has_no_graph(agi: Agi) -> None:
    done = agi("trace", "samples/requires_grad_off.py:after", status=5)
    reason, hint = done.err.splitlines()
    assert reason.startswith("agi: after does not require grad")
    assert "so it was computed under no_grad" not in reason  # it was not
    assert hint.split() == ["tensors", "with", "a", "graph:", "before"]


def test_no_grad_records_nothing_and_enable_grad_does_even_inside_of_it(
    agi: Agi, tmp_path: Path
) -> None:
    names = ("recorded", "silent", "decorated", "again", "redecorated")
    roots = "{" + ", ".join(f"'{name}': {name}" for name in names) + "}"
    done = agi("trace", "--tree", "-o", "sums.agi", "--expr", roots, "samples/no_grad_regions.py")
    capture = autograd_inspect.load(tmp_path / "sums.agi")

    found = [root.name.removeprefix(roots).strip("[']") for root in capture.graph.roots]
    assert found == ["recorded", "again", "redecorated"]
    assert [root.node.op for root in capture.graph.roots] == ["SumBackward0"] * 3
    assert sorted(leaf.name for leaf in capture.graph.leaves) == ["left", "right"]
    assert operations(done).count("add") == 3
    # Each of the three sums sends a one to every element of both leaves.
    assert {row.name: (row.min, row.max, row.norm) for row in autograd_inspect.grads(capture)} == {
        name: (3.0, 3.0, figures(torch.full((2, 3), 3.0))["norm"]) for name in ("left", "right")
    }


def test_what_no_grad_kept_from_being_recorded_is_status_5(agi: Agi, tmp_path: Path) -> None:
    done = agi("trace", "samples/no_grad_regions.py:decorated", status=5)
    reason, hint = done.err.splitlines()
    assert reason.startswith("agi: decorated does not require grad (")
    assert "no_grad" in reason
    assert hint.split()[:4] == ["tensors", "with", "a", "graph:"]
    assert set(" ".join(hint.split()[4:]).split(", ")) == {"recorded", "again", "redecorated"}
    assert not list(tmp_path.glob("**/*.agi"))


def test_a_detached_copy_has_the_values_and_not_the_history(agi: Agi) -> None:
    torch.manual_seed(0)
    x = torch.rand(5)

    mixed = agi("trace", "--tree", "samples/detach.py:mixed")
    rows = rows_of(agi("grads", "--json"))
    assert operations(mixed) == ["sum", "mul", "AccumulateGrad"]
    assert "3 nodes · 2 edges (1 undefined) · 1 leaf" in mixed.out
    # The product rule would make it twice as much, were the other factor not detached.
    assert figures_in(rows["x"]) == figures(x)

    detached = agi("trace", "samples/detach.py:detached", status=5)
    reason, hint = detached.err.splitlines()
    assert reason.startswith("agi: detached does not require grad (")
    assert "detach" in reason
    assert "mixed" in hint


def test_an_operation_in_place_on_a_leaf_is_torchs_error_and_the_scripts_status(agi: Agi) -> None:
    done = agi("trace", "samples/inplace_on_leaf.py", status=1)
    assert "never reached" not in done.out
    *traceback, saved, _ = done.err.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert [line for line in traceback if line.lstrip().startswith("File ")] == [
        line for line in traceback if "inplace_on_leaf.py" in line
    ]
    leaf = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
    with pytest.raises(RuntimeError) as caught:
        leaf.sin_()
    assert traceback[-1] == f"RuntimeError: {caught.value}"
    assert "leaf" in traceback[-1]

    # What had been computed until then is there to be looked at.
    assert saved.startswith("saved .agi/")
    assert operations(agi("show", "--tree")) == ["sum", "sin", "AccumulateGrad"]
    rows = rows_of(agi("grads", "--json"))
    assert figures_in(rows["angle"]) == figures(leaf.detach().cos())


def test_doubling_until_the_norm_passes_1000_and_backward_with_a_vector(agi: Agi) -> None:
    torch.manual_seed(0)
    y = 2 * torch.randn(3)
    doublings = 1
    while y.norm() < 1000:
        y, doublings = 2 * y, doublings + 1
    gradient = torch.tensor([0.1, 1.0, 0.0001]) * 2**doublings

    traced = agi("trace", "--tree", "--keep-running", "samples/vector_backward.py")
    rows = rows_of(agi("grads", "--json"))
    assert f"{doublings} doublings, a factor of {2**doublings}\n" in traced.out
    assert f"gradient: {gradient.tolist()}\n" in traced.out
    tree = traced.out.partition("gradient: ")[2].partition("\n")[2]
    assert operations(Done(0, tree, "")) == ["mul"] * doublings + ["AccumulateGrad"]
    assert f"{doublings + 1} nodes" in tree
    assert list(rows) == ["x"]
    assert figures_in(rows["x"]) == figures(gradient)


def test_backward_without_a_vector_fails_as_in_torch_and_agi_can_be_given_one(
    agi: Agi, tmp_path: Path
) -> None:
    (tmp_path / "implicit.py").write_text(
        "import torch\nx = torch.ones(3, requires_grad=True)\ny = 2 * x\ny.backward()\n"
    )
    traced = agi("trace", "--tree", "implicit.py", status=1)
    message = "grad can be implicitly created only for scalar outputs"
    assert f"RuntimeError: {message}" in traced.err.splitlines()
    assert operations(traced) == ["mul", "AccumulateGrad"]
    # torch refuses before there is a backward: the graph is there, the gradients are not.
    assert "note: a root is not a scalar: --grad-output EXPR gives the gradient" in traced.out
    assert reasons(rows_of(agi("grads", "--json"))) == {"x": "backward_not_run"}

    v = "torch.tensor([0.1, 1.0, 0.0001])"
    agi("trace", "-q", "--grad-output", v, "implicit.py", status=1)
    rows = rows_of(agi("grads", "--json"))
    assert figures_in(rows["x"]) == figures(2 * torch.tensor([0.1, 1.0, 0.0001]))


def test_only_leaves_have_a_gradient_unless_it_is_asked_for(agi: Agi) -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 3, requires_grad=True)
    hidden = torch.randn(8, 4) @ weight
    output = hidden.tanh()
    for tensor in (hidden, output):
        tensor.retain_grad()
    output.square().mean().backward()
    expected = {"weight": weight, "hidden": hidden, "output": output}

    plain = rows_of(agi("grads", "--json", "samples/only_leaves.py:loss"))
    assert reasons(plain) == {
        "weight": "arrived",
        "hidden": "not_a_leaf",
        "output": "not_a_leaf",
    }
    retained = rows_of(
        agi("grads", "--json", "samples/only_leaves.py:loss", "--retain=hidden", "--retain=output")
    )
    assert {name: figures_in(row) for name, row in retained.items()} == {
        name: figures(tensor.grad) for name, tensor in expected.items()
    }
    assert plain["weight"] == retained["weight"]


def test_a_row_of_a_jacobian_is_one_backward_call(agi: Agi) -> None:
    torch.manual_seed(0)
    x = torch.rand(3)
    done = agi("grads", "--json", "--step", "2", "samples/functional_api.py")
    about = json.loads(done.out)["capture"]
    assert (about["call"], about["number"]) == ("autograd.grad", 2)
    by_x = torch.zeros(3)
    by_x[1] = 2 * x[1].exp()
    found = [figures_in(row) for row in rows_of(done).values()]
    expected = [figures(torch.tensor([0.0, 3.0, 0.0])), figures(by_x)]
    assert sorted(found, key=lambda row: row["max"]) == sorted(expected, key=lambda row: row["max"])
