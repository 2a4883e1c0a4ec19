"""What a plot of gradients shows, against the gradient table and torch."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from build import make_capture, make_gradients
from hypothesis import given
from odd import odd_captures
from torch import nn

import autograd_inspect
from autograd_inspect.analyses.gradient_flow import gradient_flow
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradient_flow import Mark
from autograd_inspect.model.gradients import HISTOGRAM_DECADES, Reason


def test_sizes_are_those_of_torch_in_the_order_of_the_layers() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 1))
    loss = net(torch.randn(6, 3)).pow(2).mean()
    capture = autograd_inspect.trace(loss, backward=True)
    loss.backward()
    flow = gradient_flow(capture)
    expected = {f"net.{name}": p.grad.double() for name, p in net.named_parameters()}
    assert list(flow.names) == list(expected)
    assert flow.rms == pytest.approx([g.pow(2).mean().sqrt().item() for g in expected.values()])
    assert flow.largest.tolist() == [g.abs().max().item() for g in expected.values()]
    assert flow.marks == {}
    assert flow.shares.sum(axis=1) == pytest.approx(1)


def test_a_leaf_stands_where_it_is_first_used() -> None:
    late, early, twice = (torch.ones(3, requires_grad=True) for _ in range(3))
    step = twice.exp()
    for tensor in (early, twice, late):
        step = step * tensor
    capture = autograd_inspect.trace(step.sum(), backward=True)
    assert gradient_flow(capture).names == ("twice", "early", "late")


def test_branches_do_not_mix() -> None:
    """By their distance from the root, the leaves of two branches would take turns."""
    names = {name: torch.ones(2, requires_grad=True) for name in "abcdef"}
    left, right = torch.ones(2), torch.ones(2)
    for name in "abc":
        left = left * names[name]
    for name in "def":
        right = right * names[name]
    capture = autograd_inspect.trace((left + right).sum(), backward=True)
    assert [name[-3] for name in gradient_flow(capture).names] == list("abcdef")


def test_what_is_not_reached_comes_last_and_what_was_not_meant_to_have_one_is_left_out() -> None:
    net = nn.ModuleDict(
        {"spare": nn.Linear(1, 1), "frozen": nn.Linear(1, 1), "used": nn.Linear(1, 1)}
    )
    net["frozen"].requires_grad_(False)
    loss = net["used"](net["frozen"](torch.ones(1))).sum()
    flow = gradient_flow(autograd_inspect.trace(loss, backward=True))
    assert flow.names[:2] == ("net.used.weight", "net.used.bias")
    assert set(flow.names[2:]) == {"net.spare.weight", "net.spare.bias"}
    assert flow.unreached == 2
    assert flow.left_out == 2
    assert flow.marks[Mark.NONE].tolist() == [2, 3]
    assert not flow.shares[2:].any()


def test_what_is_no_size_is_marked() -> None:
    wrong = {
        "usual": [3.0, 4.0],
        "nan": [math.nan, 1.0],
        "inf": [-math.inf, 0.0],
        "both": [math.inf, math.nan],
        "zero": [0.0, 0.0],
    }
    given_ = {name: torch.tensor(values) for name, values in wrong.items()}
    leaves = {name: torch.ones(2, requires_grad=True) for name in wrong}
    root = torch.stack(list(leaves.values()))
    capture = autograd_inspect.trace(
        root, backward=True, grad_output=torch.stack(list(given_.values()))
    )
    flow = gradient_flow(capture)
    row = {name: flow.names.index(f"leaves['{name}']") for name in wrong}
    marked = {mark: {flow.names[r][8:-2] for r in rows} for mark, rows in flow.marks.items()}
    assert marked == {Mark.NAN: {"nan", "both"}, Mark.INF: {"inf", "both"}, Mark.ZERO: {"zero"}}
    assert flow.rms[row["usual"]] == pytest.approx(math.sqrt(12.5))
    assert flow.largest[row["usual"]] == 4
    for name in ("nan", "inf", "both", "zero"):
        assert math.isnan(flow.rms[row[name]])
        assert math.isnan(flow.largest[row[name]])
    one = 1 + -HISTOGRAM_DECADES[0]  # the column of the decade from 1e0
    assert flow.shares[row["usual"], one] == 1
    assert flow.shares[row["nan"], [0, one, -1]].tolist() == [0, 0.5, 0.5]
    assert flow.shares[row["inf"], [0, -1]].tolist() == [0.5, 0.5]
    assert flow.shares[row["both"], -1] == 1
    assert flow.shares[row["zero"], 0] == 1


def test_without_any_gradient_there_is_nothing_to_plot() -> None:
    capture = make_capture()
    table = replace(
        capture.gradients.table,
        dtype=np.full(2, -1, np.int32),
        reason=np.full(2, Reason.BACKWARD_NOT_RUN, np.uint8),
    )
    bare = replace(capture, gradients=replace(capture.gradients, table=table))
    with pytest.raises(UsageError, match="no tensor of this capture has a gradient"):
        gradient_flow(bare)
    with pytest.raises(UsageError, match="no tensor"):
        gradient_flow(replace(capture, gradients=make_gradients([])))


@given(capture=odd_captures())
def test_no_capture_is_too_odd(capture: Capture) -> None:
    rows = list(capture.gradients)
    if not any(row.present for row in rows):
        with pytest.raises(UsageError):
            gradient_flow(capture)
        return
    flow = gradient_flow(capture)
    assert len(flow) + flow.left_out == len(rows)
    assert {row.name for row in rows if row.present} <= set(flow.names)
    drawn = flow.largest[~np.isnan(flow.largest)]
    assert ((drawn > 0) & np.isfinite(drawn)).all()
    by_name = {row.name: row for row in rows}
    for name, largest in zip(flow.names, flow.largest.tolist(), strict=True):
        row = by_name[name]
        expected = max(abs(row.min), abs(row.max))
        assert largest == expected or math.isnan(largest)
