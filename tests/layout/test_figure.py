"""Figures: how large the text is on a screen, and where arrows of a loop go."""

from __future__ import annotations

import pytest
from build import make_graph
from framed import make_loop, make_mlp

from autograd_inspect.layout.figure import HEADING, compose, fitted_text
from autograd_inspect.passes.drawing import draw


def test_text_that_fits_easily_is_enlarged_a_little_at_most() -> None:
    assert fitted_text(draw(make_graph("loss>a"), limit=None)) == pytest.approx(1.3 * HEADING)


@pytest.mark.parametrize("screen", [(1600, 900), (400, 900), (900, 300)])
def test_the_whole_figure_fits_at_the_size_that_is_given(screen: tuple[int, int]) -> None:
    view = draw(make_mlp(), limit=None)
    width, height = screen
    scale = fitted_text(view, screen=screen) / HEADING
    figure = compose(view, aspect=width / height)
    assert figure.width * scale <= width + 1e-6
    assert figure.height * scale <= height + 1e-6
    assert max(figure.width * scale / width, figure.height * scale / height, scale / 1.3) > 0.999


def test_a_ribbon_is_read_in_columns() -> None:
    view = draw(make_graph(" ".join(f"m{i}>m{i + 1}" for i in range(50))), limit=None)
    ribbon, wrapped = compose(view), compose(view, aspect=16 / 9)
    assert min(1600 / ribbon.width, 900 / ribbon.height) < 0.4
    assert fitted_text(view) > 11
    assert len({box.x + box.width / 2 for box in wrapped.boxes}) > 3


def test_an_arrow_to_the_next_turn_is_marked_and_leads_up() -> None:
    figure = compose(make_loop())
    assert [arrow.carried for arrow in figure.arrows] == [False] * 4 + [True]
    begin, end = figure.arrows[-1].route[0], figure.arrows[-1].route[-1]
    assert begin[1] > end[1]
    assert len({box.heading.x for box in figure.boxes}) == 1
