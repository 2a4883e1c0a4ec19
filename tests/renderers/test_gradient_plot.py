"""Plots of gradients: what matplotlib is given, and what it makes of it."""

from __future__ import annotations

import itertools
import math
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from build import make_capture
from hypothesis import given, settings
from hypothesis import strategies as st
from odd import odd_captures

import autograd_inspect
from autograd_inspect.analyses.gradient_flow import gradient_flow
from autograd_inspect.errors import RenderError, UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.curves import Chart, Curve, Curves
from autograd_inspect.model.gradient_flow import GradientFlow, Mark
from autograd_inspect.renderers import gradient_plot, plotting

HOSTILE = [
    "$x_1$",
    "a$b",
    r"\$",
    "_hidden",
    "two\nlines",
    "\u202eabc",
    "שלום",
    "数据",
    "",
    "é" * 300,
]


def sine() -> Capture:
    """Trace the chain of PyTorch's tutorial."""
    a = torch.linspace(0, 2 * math.pi, 25, requires_grad=True)
    b = torch.sin(a)
    c = 2 * b
    d = c + 1
    out = d.sum()
    return autograd_inspect.trace(out, backward=True, curves=True)


def flow_of(names: list[str], largest: list[float] | None = None, **facts: Any) -> GradientFlow:
    sizes = np.array(largest if largest is not None else [1.0] * len(names))
    shares = np.zeros((len(names), 18))
    shares[:, 13] = 1.0
    return GradientFlow(tuple(names), sizes / 2, sizes, facts.pop("marks", {}), shares, **facts)


def lines_of(ax: Any) -> list[tuple[list[float], list[float]]]:
    return [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.get_lines()]


def texts_of(svg: bytes) -> set[str]:
    """Collect the texts of a drawing, as they are read."""
    tree = ET.fromstring(svg)
    texts = ("".join(one.itertext()) for one in tree.iter("{http://www.w3.org/2000/svg}text"))
    return {text.strip() for text in texts}


def test_the_tutorials_picture() -> None:
    capture = sine()
    against_b, against_gradient = gradient_plot.draw(capture, gradient_flow(capture)).axes
    a = torch.linspace(0, 2 * math.pi, 25)
    x = a.tolist()
    assert lines_of(against_b) == [
        (x, a.sin().tolist()),
        (x, (2 * a.sin()).tolist()),
        (x, (2 * a.sin() + 1).tolist()),
    ]
    assert lines_of(against_gradient) == [(x, (2 * a.cos()).tolist())]
    assert [text.get_text() for text in against_b.get_legend().get_texts()] == ["b", "c", "d"]
    assert against_b.get_xlabel() == against_gradient.get_xlabel() == "a"
    assert against_gradient.get_ylabel() == "a.grad"


def test_the_flow_is_that_of_the_gradients() -> None:
    marks = {Mark.ZERO: np.array([1]), Mark.NAN: np.array([2])}
    flow = flow_of(["a", "b", "c", "d"], [1.0, math.nan, math.nan, 4.0], marks=marks)
    upper, lower, _ = gradient_plot.draw(make_capture(), flow).axes
    largest, rms, zero, nan = upper.get_lines()
    np.testing.assert_array_equal(largest.get_ydata(), flow.largest)
    np.testing.assert_array_equal(rms.get_ydata(), flow.rms)
    assert zero.get_xdata().tolist() == [1]
    assert nan.get_xdata().tolist() == [2]
    assert upper.get_yscale() == "log"
    named = [text.get_text() for text in upper.get_legend().get_texts()]
    assert named == ["largest |g|", "rms of g", "all zero (1)", "NaN (1)"]
    signs = {line.get_marker() for line in upper.get_lines()}
    assert len(signs) == 4, "told apart without colour"
    assert [text.get_text() for text in lower.get_xticklabels()] == ["a", "b", "c", "d"]
    bottom, top = upper.get_ylim()
    assert bottom < min(flow.rms[[0, 3]])
    assert top > 4


def test_the_strip_has_the_shares_of_every_decade() -> None:
    flow = flow_of(["a", "b"])
    flow.shares[:] = 0
    flow.shares[0, [0, 10, 12]] = 0.5, 0.25, 0.25
    flow.shares[1, -1] = 1
    _, strip, _ = gradient_plot.draw(make_capture(), flow).axes
    (image,) = strip.get_images()
    assert image.get_array().filled(0).T.tolist() == [[0.5, 0.25, 0, 0.25, 0], [0, 0, 0, 0, 1]]
    ticks = dict(
        zip(strip.get_yticks(), [text.get_text() for text in strip.get_yticklabels()], strict=True)
    )
    # The first decade shown is that from 1e-3 to 1e-2.
    assert ticks == {0: "zero", 0.5: "1e-3", 1.5: "1e-2", 2.5: "1e-1", 3.5: "1e0", 4: "NaN, Inf"}


def test_the_outermost_decades_have_no_bound() -> None:
    flow = flow_of(["a"])
    flow.shares[0, 1:17] = 1 / 16
    _, strip, _ = gradient_plot.draw(make_capture(), flow).axes
    names = {text.get_text() for text in strip.get_yticklabels()}
    assert not names & {"1e-12", "1e4"}


def test_a_line_is_drawn_only_where_the_leaf_is_in_order() -> None:
    up, mixed = np.array([0.0, 1.0, 2.0]), np.array([2.0, 0.0, 1.0])
    for values, style in ((up, "-"), (up[::-1], "-"), (mixed, "None")):
        chart = Chart(0, Curve("x", 0, values), (), Curve("x.grad", 0, values))
        capture = replace(make_capture(), curves=Curves.of([chart]))
        ax = gradient_plot.draw(capture, flow_of(["x"])).axes[0]
        assert ax.get_lines()[0].get_linestyle() == style


def test_points_that_cannot_be_drawn_are_counted() -> None:
    x = np.arange(4.0)
    wrong = np.array([0.0, math.nan, -math.inf, 1.0])
    chart = Chart(0, Curve("x", 0, x), (Curve("y", 1, x),), Curve("x.grad", 0, wrong))
    capture = replace(make_capture(), curves=Curves.of([chart]))
    flow = flow_of(["x"], marks={Mark.NAN: np.array([0])})
    against_y, against_gradient, upper, *_ = gradient_plot.draw(capture, flow).axes
    assert against_y.get_title(loc="left") == ""
    assert against_gradient.get_title(loc="left") == "2 of 4 points NaN or infinite"
    assert "NaN (1)" in [text.get_text() for text in upper.get_legend().get_texts()]


def test_flow_is_left_out_where_the_curves_say_it_all() -> None:
    capture = sine()
    assert len(gradient_plot.draw(capture, flow_of(["a"])).axes) == 2
    assert len(gradient_plot.draw(capture, flow_of(["a", "w"])).axes) == 5
    assert len(gradient_plot.draw(replace(capture, curves=Curves()), flow_of(["a"])).axes) == 3


@pytest.mark.parametrize("kind", plotting.FORMATS)
def test_the_same_capture_gives_the_same_bytes(kind: Any) -> None:
    first, second = (autograd_inspect.plot_grads(sine(), kind) for _ in range(2))
    assert first == second
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])


def test_the_programs_own_looks_are_neither_used_nor_changed() -> None:
    capture = sine()
    plain = capture.plot_grads("svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        before = dict(mpl.rcParams)
        assert capture.plot_grads("svg") == plain
        assert dict(mpl.rcParams) == before


def test_names_are_shown_as_they_are() -> None:
    chart = Chart(
        0,
        Curve("$x_1$", 0, np.arange(3.0)),
        tuple(Curve(name, 1, np.arange(3.0)) for name in ("_hidden", r"a\$b$c$", "two\nlines")),
        Curve("$x_1$.grad", 0, np.arange(3.0)),
    )
    capture = replace(make_capture(target="$t$.py"), curves=Curves.of([chart]))
    texts = texts_of(gradient_plot.render(capture, flow_of(HOSTILE), "svg"))
    shown = {"$x_1$", "_hidden", r"a\$b$c$", r"two\nlines", "$x_1$.grad", "a$b", r"\$"}
    assert shown <= texts
    assert r"\u202eabc" in texts
    assert r"\u6570\u636e" in texts
    assert "gradients of $t$.py:loss" in texts


@pytest.mark.parametrize("kind", plotting.FORMATS)
def test_nothing_in_a_name_stops_the_drawing(kind: str) -> None:
    assert gradient_plot.render(make_capture(), flow_of(HOSTILE), kind)


@given(name=st.text(max_size=40))
def test_any_name_is_one_line_that_the_font_has(name: str) -> None:
    shown = plotting.label(name)
    assert shown.isprintable()
    assert not mpl.cbook.is_math_text(shown)


@settings(max_examples=8, deadline=None)
@given(capture=odd_captures())
def test_no_capture_is_too_odd_to_draw(capture: Capture) -> None:
    try:
        flow = gradient_flow(capture)
    except UsageError:
        return
    assert gradient_plot.render(capture, flow, "svg")


@pytest.mark.parametrize("sizes", [[5e-324, 1.7e308], [5e-324, 5e-324], [math.nan, math.nan]])
def test_the_scale_takes_every_size(sizes: list[float]) -> None:
    flow = flow_of(["a", "b"], sizes, marks={Mark.ZERO: np.array([0, 1])})
    ax = gradient_plot.draw(make_capture(), flow).axes[0]
    bottom, top = ax.get_ylim()
    assert 0 < bottom < top < math.inf
    assert gradient_plot.render(make_capture(), flow, "png")


def test_many_names_are_grouped_by_module() -> None:
    names = [f"net.h.{block}.{part}.weight" for block in range(12) for part in "abcdefgh"]
    names += ["net.norm.weight", "net.norm.bias"]
    groups = gradient_plot.groups_of(names, 48)
    assert [group.name for group in groups] == [*(f"net.h.{n}" for n in range(12)), "net.norm"]
    assert [(group.first, group.last) for group in groups[-2:]] == [(88, 95), (96, 97)]


@given(
    names=st.lists(st.text("ab.[0]", max_size=6), min_size=1, max_size=300),
    most=st.integers(1, 50),
)
def test_groups_are_few_and_name_their_rows(names: list[str], most: int) -> None:
    groups = gradient_plot.groups_of(names, most)
    assert len(groups) <= most
    covered = [row for group in groups for row in range(group.first, group.last + 1)]
    assert covered == sorted(set(covered))
    assert set(covered) <= set(range(len(names)))
    for group in groups:
        assert all(names[row].startswith(group.name) for row in (group.first, group.last))


def test_no_two_texts_below_the_axis_touch() -> None:
    blocks = [f"net.blocks.{n}.{part}" for n in range(12) for part in "abcdefghij"]
    flow = flow_of(["net.words.weight", "net.places.weight", *blocks, "net.head.weight"])
    figure = gradient_plot.draw(make_capture(), flow)
    plotting.written(figure, "png")  # which is when the places are found
    boxes = [text.get_window_extent() for text in figure.axes[1].get_xticklabels()]
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))
    assert "net.words" in figure.axes[1].get_xticklabels()[0].get_text()
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)


def test_without_matplotlib_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RenderError, match="plots need matplotlib") as caught:
        sine().plot_grads()
    assert caught.value.hint == "pip install 'autograd-inspect[plot]'"


def test_a_capture_that_was_saved_gives_the_same_plot(tmp_path: Path) -> None:
    capture = sine()
    capture.save(tmp_path / "x.agi")
    assert autograd_inspect.load(tmp_path / "x.agi").plot_grads() == capture.plot_grads()


def test_many_names_without_modules_are_thinned_out() -> None:
    names = [f"net.{row}.weight" for row in range(1000)]
    groups = gradient_plot.groups_of(names, 48)
    assert [group.name for group in groups[:2]] == ["net.0.weight", "net.21.weight"]
    assert [(group.first, group.last) for group in groups[:2]] == [(0, 0), (21, 21)]
