from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from build import make_capture
from probing import probed

from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Gradients
from autograd_inspect.model.tables import empty
from autograd_inspect.model.view import HOTTEST, NO_HEAT, NOT_FINITE, ZERO
from autograd_inspect.passes.drawing import draw
from autograd_inspect.passes.heat import gradient_norms, heat_of


def capture_of(root: torch.Tensor) -> Capture:
    capture = make_capture("loss>mul mul>a mul>b")
    table = type(capture.gradients.table)
    return replace(capture, graph=probed(root)[1], gradients=Gradients(empty(table)))


def chain() -> Capture:
    x = torch.tensor([3.0], requires_grad=True)
    return capture_of((x * 1e-3 * 1e-3 * 0).sum())


def test_the_norm_of_every_node_is_that_of_what_arrived() -> None:
    assert gradient_norms(chain()) == pytest.approx([1, 1, 0, 0, 0])


def test_gradients_go_by_decades_and_zero_is_apart() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    level, scale = heat_of(capture_of((x * 1e-3 * 1e-3).sum()), "grad")
    assert level.tolist() == [HOTTEST, HOTTEST, (HOTTEST + 1) // 2, 0]
    assert (scale.low, scale.high) == ("1e-06", "1")
    zeros, _ = heat_of(chain(), "grad")
    assert zeros.tolist()[2:] == [ZERO] * 3


def test_what_is_not_finite_is_apart() -> None:
    x = torch.tensor([0.0], requires_grad=True)
    level, _ = heat_of(capture_of(x.sqrt().sum()), "grad")
    assert level.tolist()[-1] == NOT_FINITE


def test_memory_goes_by_share_of_the_most() -> None:
    x, y = torch.ones(1000, requires_grad=True), torch.ones(10, requires_grad=True)
    capture = capture_of(x.exp().sum() + y.exp().sum())
    level, scale = heat_of(capture, "memory")
    by_title = [(node.title, int(level[node.index])) for node in capture.graph.nodes]
    assert ("exp", HOTTEST) in by_title
    assert ("exp", 1) in by_title
    assert ("add", 0) in by_title
    assert scale.high == "3.91 KiB"


def test_a_leaf_has_the_gradient_of_the_table_where_nothing_was_probed() -> None:
    capture = make_capture("loss>mul mul>a mul>b")
    table = replace(capture.gradients.table, node=np.array([2, 3], np.int32))
    norms = gradient_norms(replace(capture, gradients=replace(capture.gradients, table=table)))
    assert norms == pytest.approx([np.nan, np.nan, 1, 2], nan_ok=True)


def test_boxes_have_heat_and_those_that_stand_for_others_none() -> None:
    view = draw(chain(), limit=2, color="grad")
    assert view.heat == (HOTTEST, HOTTEST, NO_HEAT)
    assert draw(chain(), limit=2).heat == ()


@pytest.mark.parametrize("figure", ["time", "loudness"])
def test_a_figure_that_is_not_there_is_refused(figure: str) -> None:
    with pytest.raises(UsageError):
        heat_of(make_capture("loss>a"), figure)
