"""Rails as text. --update-golden writes the drawings anew: read the difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_graph
from hypothesis import given
from hypothesis import strategies as st
from nets import (
    MLP,
    SINE,
    capture_of,
    in_modules,
    residual,
    two_roots,
    unrolled,
    unrolled_cell,
    with_undefined_edges,
)
from rich.cells import cell_len

from autograd_inspect.errors import UsageError
from autograd_inspect.listings import Listing, lines_of, scene_of
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.selection import Selection
from autograd_inspect.model.tables import Kind, Spec
from autograd_inspect.passes.railing.build import rails
from autograd_inspect.renderers import rails as text

DRAWINGS = {
    "rails-sine": (SINE, 20),
    "rails-sine-short": (SINE, 4),
    "rails-mlp": (MLP, 20),
    "rails-residual": (residual(12), 20),
    "rails-rnn": (unrolled(3), 20),
    "rails-rnn-short": (unrolled(40), 12),
    "rails-two-roots": (two_roots(), 20),
    "rails-undefined": (with_undefined_edges(), 20),
    "rails-modules": (in_modules(12), 20),
    "rails-modules-few": (in_modules(2), 30),
    "rails-calls": (unrolled_cell(40), 20),
}


def written(
    capture: Capture, rows: int = 20, *, selection: Selection | None = None, **how: object
) -> str:
    scene = scene_of(capture, selection or Selection(), rows)
    return text.render(rails(scene, rows), text.Look(**how))


def without_colour(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", drawn)


@pytest.mark.parametrize("name", DRAWINGS)
def test_known_drawings(name: str, golden: Callable[[str, str], None]) -> None:
    graph, rows = DRAWINGS[name]
    golden(f"{name}.txt", written(capture_of(graph), rows, width=100))


def test_a_narrow_terminal_goes_without_step_by_step(golden: Callable[[str, str], None]) -> None:
    capture = capture_of(in_modules(12))
    widths = [None, 120, 90, 80, 70, 60, 50, 40, 30, 20]
    drawn = [f"{width} columns\n{written(capture, 20, width=width)}\n" for width in widths]
    golden("rails-modules-widths.txt", "".join(drawn))


def test_drawings_without_unicode(golden: Callable[[str, str], None]) -> None:
    names = ["rails-residual", "rails-rnn-short", "rails-calls"]
    drawn = [
        written(capture_of(graph), rows, width=80, ascii=True)
        for graph, rows in map(DRAWINGS.get, names)
    ]
    golden("rails-ascii.txt", "\n".join(drawn))


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("width", [None, 120, 80, 40, 20])
@pytest.mark.parametrize("plainly", [True, False])
def test_colour_changes_nothing_and_no_line_is_too_long(
    name: str, width: int | None, plainly: bool
) -> None:
    graph, rows = DRAWINGS[name]
    plain = written(capture_of(graph), rows, width=width, ascii=plainly)
    colored = written(capture_of(graph), rows, width=width, ascii=plainly, color=True)
    assert [line.rstrip() for line in without_colour(colored).split("\n")] == plain.split("\n")
    assert "\x1b" in colored
    assert plain.isascii() == plainly
    assert width is None or max(map(cell_len, plain.splitlines())) <= width
    assert len(plain.splitlines()) <= rows + text.HEADING_LINES


@given(
    st.text(
        st.characters(categories=("Cc", "Cf", "Lu", "Lo", "Mn", "Zl", "Zp", "Ps", "Pe", "So")),
        min_size=1,
        max_size=30,
    )
)
def test_hostile_names_are_shown_on_one_line_as_text(name: str) -> None:
    capture = capture_of(graph_of([[1], []], names={0: name, 1: name}))
    for plainly in (False, True):
        drawn = written(capture, ascii=plainly)
        assert drawn.count("\n") == 2
        assert drawn.replace("\n", "").isprintable()
        assert cell_len(written(capture, ascii=plainly, width=30).splitlines()[1]) <= 30
    if name.isprintable() and name.isascii():
        assert drawn.count(name.rstrip()) >= 2


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", "[link=http://a.b]", ":smile:", "a\\[b"])
def test_markup_is_never_interpreted(name: str) -> None:
    capture = capture_of(graph_of([[1], []], names={0: "out", 1: name}))
    assert name in written(capture)
    assert name in without_colour(written(capture, color=True))


def test_in_a_pipe_nothing_is_cut() -> None:
    names = {leaf: f"a.very.long.name.of.a.module.{leaf}" for leaf in range(1, 30)}
    graph = graph_of([[*range(1, 30)], *[[]] * 29], names=names)
    drawn = written(capture_of(graph))
    assert all(name in drawn for name in names.values())
    assert "29 leaves" in written(capture_of(graph), width=80)


def test_figures_are_chosen_by_name_and_stay_however_narrow() -> None:
    capture = capture_of(in_modules(3))
    heading = written(capture, width=60, columns=("line", "shape")).splitlines()[0]
    assert heading.split() == ["line", "shape"]
    assert written(capture, columns=()).splitlines()[0].startswith("◉")


def test_a_column_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no column saves"):
        Listing(columns=("shape", "saves"))


def test_the_instance_on_show_is_named() -> None:
    capture = capture_of(in_modules(12))
    assert "one of 12 shown" in written(capture, 14)
    opened = Selection(expand=("h.7",))
    assert "no. 8 of 12 shown" in written(capture, 14, selection=opened)


def test_a_leaf_says_how_often_it_is_used_and_what_is_wrong() -> None:
    capture = capture_of(unrolled_cell(40))
    assert "weight_hh \N{MULTIPLICATION SIGN}40" in written(capture)
    norms = np.zeros(len(capture.graph))
    assert "weight_hh \N{MULTIPLICATION SIGN}40 ∇0" in written(capture, norms=norms)
    assert "∇ not finite" in written(capture, norms=norms + np.inf)
    frozen = replace(
        capture.graph.leaf_table,
        requires_grad=np.zeros(len(capture.graph.leaves), np.bool_),
    )
    capture = replace(capture, graph=replace(capture.graph, leaf_table=frozen))
    assert "requires_grad=False" in written(capture)


def test_says_what_is_out_of_the_ordinary() -> None:
    graph = make_graph("loss>square square>a")
    table = replace(
        graph.node_table,
        kind=np.array([Kind.OPERATION, Kind.CUSTOM, Kind.LEAF], np.uint8),
        attributes=np.array([0, 1, 0], np.int32),
    )
    graph = replace(
        graph,
        node_table=table,
        specs=(Spec((2, "s0"), "bfloat16", "cuda:1"),),
        attributes=("{}", '{"alpha": 1, "exponent": 2.0, "dim": -1, "eps": 0.5, "x": null}'),
    )
    (line,) = (line for line in written(capture_of(graph)).splitlines() if "Square" in line)
    assert "[2, s0] bfloat16 cuda:1" in line
    assert "custom function" in line
    assert "exponent=2 dim=-1" in line
    assert not any(word in line for word in ("alpha", "eps", "x="))


def test_more_rails_than_lanes_are_counted(golden: Callable[[str, str], None]) -> None:
    edges = [[*range(1, 15)], *([node + 14] for node in range(1, 15)), *[[29]] * 14, [30], []]
    golden("rails-crowded.txt", written(capture_of(graph_of(edges)), 60, width=80))


def test_what_is_left_out_is_said() -> None:
    capture = capture_of(in_modules(12))
    listing = Listing(Selection(path="model.h.3.lin.weight"), rows=40)
    lines = [*lines_of(capture, listing)]
    left = len(capture.graph) - sum(1 for _ in _above(capture.graph, "model.h.3.lin.weight"))
    assert f"{left} of {len(capture.graph)} nodes are left out, as asked" in lines


def _above(graph: Graph, name: str) -> set[int]:
    """Collect what reaches a leaf, by asking every node."""
    reaching = {leaf.node.index for leaf in graph.leaves if leaf.name == name}
    for node in sorted(graph.nodes, key=lambda node: -node.depth):
        if any(edge.target and edge.target.index in reaching for edge in node.edges):
            reaching.add(node.index)
    return reaching


def test_thousands_of_unlike_rows_are_cut_and_counted() -> None:
    ops = [f"Op{i}xBackward0" for i in range(3000)] + ["AccumulateGrad"]
    graph = graph_of([[i + 1, min(i + 2, 3000)] for i in range(3000)] + [[]], ops=ops)
    drawn = written(capture_of(graph), 30, width=80).splitlines()
    assert len(drawn) <= 32
    (told,) = (line for line in drawn if "not shown" in line)
    assert re.search(r"… 2,97\d items \(2,97\d nodes\) not shown: --all", told)
