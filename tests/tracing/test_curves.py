"""Which leaves get curves, and that their values are those of the moment."""

from __future__ import annotations

import torch
from torch import nn

import autograd_inspect
from autograd_inspect.model.curves import Chart


def charts_of(value: object, **options: object) -> dict[str, Chart]:
    capture = autograd_inspect.trace(value, backward=True, curves=True, **options)
    return {chart.leaf.name: chart for chart in capture.curves.charts}


def results_of(chart: Chart) -> dict[str, list[float]]:
    return {curve.name: curve.values.tolist() for curve in chart.results}


def test_values_are_copied_exactly() -> None:
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        x = torch.linspace(-1, 1, 7, dtype=dtype).requires_grad_()
        y = x.exp()
        root = y.sum()
        chart = charts_of(root)["x"]
        assert chart.leaf.values.tolist() == x.tolist()
        assert results_of(chart) == {"y": y.tolist()}
        assert chart.gradient.values.tolist() == y.tolist()
        with torch.no_grad():
            x.zero_()
        assert chart.leaf.values.tolist() != x.tolist(), "a copy, not a view of the program's"


def test_the_nearest_results_are_kept_and_those_of_the_leafs_own_elements() -> None:
    x = torch.linspace(0, 1, 5).requires_grad_()
    a = x.sin()
    b = a * 2
    c = b + 1
    d = c.exp()
    mixed = x.cumsum(0)
    other = torch.ones(5, requires_grad=True) * 3
    shorter = x[1:]
    root = (d + mixed + other).sum() + shorter.sum()
    charts = charts_of(root)
    assert list(results_of(charts["x"])) == ["a", "b", "c"]
    assert all(len(curve.values) == 5 for curve in charts["x"].results)


def test_parameters_of_modules_and_other_shapes_have_none() -> None:
    net = nn.Linear(4, 4)
    x = torch.ones(4, requires_grad=True)
    flat = torch.ones(2, 2, requires_grad=True)
    one = torch.ones(1, requires_grad=True)
    wide = torch.ones(10_001, requires_grad=True)
    turned = torch.ones(4, dtype=torch.complex64, requires_grad=True)
    y = x.exp()
    grown, doubled = wide * 2, turned.abs()
    root = net(y).sum() + flat.sum() + one.sum() + grown.sum() + doubled.sum()
    assert list(charts_of(root)) == ["x"]


def test_a_lone_leaf_needs_no_result() -> None:
    x = torch.linspace(0, 1, 5).requires_grad_()
    root = (x.sin() * 2).sum()
    assert results_of(charts_of(root)["x"]) == {}
    y = torch.linspace(0, 1, 5).requires_grad_()
    root = (x.sin() * y.sin()).sum()
    assert charts_of(root) == {}


def test_a_leaf_without_a_gradient_has_none() -> None:
    x = torch.linspace(0, 1, 5).requires_grad_()
    y = x.exp()
    assert not autograd_inspect.trace(y.sum(), curves=True).curves.charts


def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    x = torch.linspace(0, 1, 5).requires_grad_()
    y = x.exp()
    assert len(autograd_inspect.trace(y.sum(), backward=True).curves) == 0


def test_at_most_four_leaves_have_curves() -> None:
    leaves = {f"x{n}": torch.ones(3, requires_grad=True) for n in range(9)}
    results = [leaf.exp() for leaf in leaves.values()]
    assert len(charts_of(torch.stack(results).sum())) == 4
