"""The library: the same verbs as functions."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

import autograd_inspect as agi


def small_loss() -> tuple[torch.Tensor, nn.Module]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    return net(torch.ones(4, 3)).pow(2).mean(), net


def test_trace_names_by_the_callers_variables() -> None:
    scale = torch.tensor([2.0], requires_grad=True)
    loss = (scale * 3).sum()
    capture = agi.trace(loss)
    assert [leaf.name for leaf in capture.graph.leaves] == ["scale"]
    assert [root.name for root in capture.graph.roots] == ["loss"]


def test_a_model_that_no_variable_holds_is_called_model() -> None:
    loss, _ = small_loss()
    names = {leaf.name for leaf in agi.trace(small_loss()[0]).graph.leaves}
    assert all(not name or name.startswith("Sequential") for name in names)
    pair = small_loss()
    capture = agi.trace(pair[0], model=pair[1])
    assert {leaf.name for leaf in capture.graph.leaves} <= {
        *("model.0.weight", "model.0.bias", "pair[1].0.weight", "pair[1].0.bias")
    }
    assert loss.requires_grad


def test_backward_leaves_grad_alone_and_the_graph_usable() -> None:
    loss, net = small_loss()
    rows = {row.name: row for row in agi.trace(loss, backward=True).grads()}
    assert all(parameter.grad is None for parameter in net.parameters())
    loss.backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None
        assert rows[f"net.{name}"].norm == parameter.grad.double().norm().item()


def test_without_backward_the_gradients_that_are_there_are_measured() -> None:
    loss, net = small_loss()
    assert all(not row.present for row in agi.trace(loss, net).grads())
    loss.backward()
    rows = agi.trace(loss, net).grads(sort="norm")
    assert {row.reason for row in rows} == {agi.Reason.LEFT_BY_EARLIER}
    assert rows[0].norm >= rows[-1].norm > 0


def test_a_vector_with_its_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * torch.tensor([1.0, 10.0])
    (row,) = agi.trace(y, backward=True, grad_output=torch.tensor([1.0, 2.0])).grads()
    assert row.max == 20.0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (3, "is a plain number"),
        (torch.ones(1, requires_grad=True), "is a leaf"),
        (torch.ones(1), "does not require grad"),
        ({"a": []}, "is a dict and holds no tensor"),
    ],
)
def test_no_graph_says_why(value: object, reason: str) -> None:
    with pytest.raises(agi.NoGraphError, match=reason) as raised:
        agi.trace(value)
    assert raised.value.exit_code == 5


def test_save_and_load(tmp_path: Path) -> None:
    loss, _ = small_loss()
    capture = agi.trace(loss)
    capture.save(tmp_path / "x.agi")
    again = agi.load(tmp_path / "x.agi")
    assert str(again) == str(capture)
    assert [node.op for node in again.graph.nodes] == [node.op for node in capture.graph.nodes]
    with pytest.raises(agi.UsageError, match="exists"):
        capture.save(tmp_path / "x.agi")


def test_a_capture_shows_itself() -> None:
    loss, _ = small_loss()
    capture = agi.trace(loss)
    assert str(capture).splitlines()[1].startswith("◉ mean → loss")
    assert capture.show(style="tree").startswith("◉ mean → loss")
    assert repr(capture).startswith("<Capture of loss: <Graph of ")
    stream = io.StringIO()
    Console(file=stream, width=120).print(capture)
    assert "mean → loss" in stream.getvalue()
    assert ET.fromstring(capture._repr_svg_()).tag.endswith("svg")
    assert capture._repr_html_().startswith("<div><svg")
    assert "MeanBackward0" in capture.digraph().source
    assert capture.render("png").startswith(b"\x89PNG")  # type: ignore[arg-type]


def test_a_graph_can_be_walked_by_hand() -> None:
    loss, _ = small_loss()
    graph = agi.trace(loss).graph
    root = graph.roots[0].node
    (edge,) = root.edges
    assert (root.op, edge.target and edge.target.op) == ("MeanBackward0", "PowBackward0")
    assert edge.target is not None
    assert edge.target.attributes == {"exponent": 2}
    assert graph.leaves[0].node.kind is agi.Kind.LEAF
    with pytest.raises(IndexError, match="no node 999"):
        graph.node(999)
