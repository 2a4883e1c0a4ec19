from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from forking import fork_agi

#: The value that is not finite is made outside of any graph, on line 6.
OUTSIDE = """\
import torch

w = torch.tensor([1.0, 2.0], requires_grad=True)


target = torch.tensor([0.0, 1.0]).log()
error = (target - w).pow(2)
loss = error.mean()
loss.backward()
"""

AT_ZERO = """\
import torch
from torch import nn


class Distance(nn.Module):
    def forward(self, a, b):
        squared = (a - b).pow(2).sum(1)
        return squared.sqrt()


points = nn.Parameter(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
distance = Distance()
loss = distance(points, torch.tensor([[1.0, 2.0], [0.0, 0.0]])).sum()
loss.backward()
print("done")
"""

PLAIN = """\
import torch

x = torch.tensor([1.0, 0.0], requires_grad=True)
y = x * 3
out = y * y
out.sum().backward()
"""


@pytest.fixture
def where(tmp_path: Path) -> Path:
    for name, text in {"outside": OUTSIDE, "at_zero": AT_ZERO, "plain": PLAIN}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_trace_says_where_the_gradient_first_became_infinite_and_why(where: Path) -> None:
    done = fork_agi("trace", "at_zero.py:loss", cwd=where)
    assert done.status == 0
    assert "done" not in done.out  # stopped at the capture, as always
    assert (
        "gradient first infinite at sqrt at at_zero.py:8 for squared: element [0] is inf; "
        in done.out
    )
    assert "grad / (2 * result), with result[0] = 0 (of 2 elements 1 zero)" in done.out
    rows = [line for line in done.out.splitlines() if line[:1] in "◉●○◆├│"]
    assert any(re.search(r"pow.*not finite", row) for row in rows)
    assert any(re.search(r"sqrt.*1\.414", row) for row in rows)


def test_grads_says_it_too_and_gives_it_to_programs(where: Path) -> None:
    done = fork_agi("grads", "--width", "100", "at_zero.py", cwd=where)
    assert "gradient first infinite at sqrt at at_zero.py:8" in done.out
    table = json.loads(fork_agi("grads", "--json", cwd=where).out)
    found = table["first_nonfinite"]
    assert (found["op"], found["place"]["line"], found["index"]) == ("SqrtBackward0", 8, [0])
    assert found["operands"][0]["value"] == "0"


def test_a_value_made_outside_of_the_graph_is_traced_to_its_line_with_watch(where: Path) -> None:
    light = fork_agi("trace", "outside.py", cwd=where)
    assert "first, in this graph, out of sub at outside.py:7" in light.out
    watched = fork_agi("trace", "--watch", "outside.py", cwd=where)
    assert (
        "the forward was not finite already: first out of Tensor.log at outside.py:6" in watched.out
    )
    assert (
        json.loads(fork_agi("grads", "--json", cwd=where).out)["first_nonfinite"]["place"]["line"]
        == 6
    )


def test_finite_gradients_are_not_talked_about(where: Path) -> None:
    assert "first" not in fork_agi("trace", "plain.py", cwd=where).out
    assert json.loads(fork_agi("grads", "--json", cwd=where).out)["first_nonfinite"] is None


def test_the_nodes_are_listed_in_the_order_of_backward(where: Path) -> None:
    fork_agi("trace", "-q", "plain.py", cwd=where)
    table = json.loads(fork_agi("grads", "--nodes", "--json", cwd=where).out)
    rows = table["rows"]
    assert table["schema"] == "agi.grads.nodes/1"
    assert [row["title"] for row in rows] == ["sum", "mul", "mul", "AccumulateGrad"]
    assert [row["turn"] for row in rows] == [0, 1, 2, 3]
    # d out/d y = 2 y = (6, 0), d out/d x = 18 x = (18, 0)
    assert [row["norm"] for row in rows] == pytest.approx([1, 2**0.5, 6, 18])
    assert [row["zeros"] for row in rows] == [0, 0, 1, 1]
    assert all(row["nanoseconds"] > 0 for row in rows)


def test_the_table_of_nodes_has_the_same_in_every_form(where: Path) -> None:
    fork_agi("trace", "-q", "plain.py", cwd=where)
    tabbed = list(
        csv.reader(io.StringIO(fork_agi("grads", "--nodes", cwd=where).out), delimiter="\t")
    )
    commas = list(csv.reader(io.StringIO(fork_agi("grads", "--nodes", "--csv", cwd=where).out)))
    assert tabbed == commas
    fitted = fork_agi("grads", "--nodes", "--width", "120", cwd=where).out
    assert fitted.splitlines()[0].split()[:2] == ["#", "operation"]
    assert len(fitted.splitlines()) == len(tabbed) == 5


def test_nodes_sort_by_a_figure(where: Path) -> None:
    fork_agi("trace", "-q", "plain.py", cwd=where)
    rows = json.loads(
        fork_agi("grads", "--nodes", "--sort", "norm", "-n", "2", "--json", cwd=where).out
    )
    assert [row["norm"] for row in rows["rows"]] == pytest.approx([18, 6])
    rising = fork_agi("grads", "--nodes", "--sort", "+norm", "-n", "1", "--json", cwd=where)
    assert json.loads(rising.out)["rows"][0]["norm"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--nodes", "--sort", "mean", "plain.py"), "unknown sort key for nodes 'mean'"),
        (("--nodes", "--probe", "leaves", "plain.py"), "nothing of what passed through the nodes"),
        (("--probe", "all", "plain.py"), "'all' is not one of"),
    ],
)
def test_wrong_wishes_get_one_line(arguments: tuple[str, ...], said: str, where: Path) -> None:
    done = fork_agi("grads", *arguments, cwd=where)
    assert done.status == 2
    assert said in done.err


def test_without_probes_there_are_no_gradients_at_all(where: Path) -> None:
    done = fork_agi("trace", "--probe", "none", "plain.py", cwd=where)
    assert "∇" not in done.out
    assert json.loads(fork_agi("grads", "--json", cwd=where).out)["rows"] == []
    assert json.loads(fork_agi("info", cwd=where).out)["probe"] == "none"


@pytest.mark.parametrize("figure", ["grad", "memory", "time"])
def test_pictures_are_coloured_by_a_figure(figure: str, where: Path) -> None:
    fork_agi("trace", "-q", "plain.py", cwd=where)
    plain = fork_agi("render", "--svg", cwd=where).out
    hot = fork_agi("render", "--svg", "--color", figure, cwd=where).out
    assert "heat6" not in plain
    assert 'class="box operation heat' in hot or 'class="box root heat6"' in hot


def test_what_cannot_be_coloured_is_said(where: Path) -> None:
    fork_agi("trace", "-q", "--probe", "leaves", "plain.py", cwd=where)
    done = fork_agi("render", "--svg", "--color", "time", cwd=where)
    assert (done.status, done.out) == (2, "")
    assert "this capture has no times to colour by" in done.err
    done = fork_agi("render", "--dot", "--color", "grad", cwd=where)
    assert done.status == 2
