"""How a scene reads: boxes, frames, arrows, and that figures are those of what is folded."""

from __future__ import annotations

from dataclasses import replace

from layers import make_layers

from autograd_inspect.model.folds import Opening
from autograd_inspect.model.tables import OutputTable
from autograd_inspect.model.view import Role, View
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.opening import open_all, open_to_depth
from autograd_inspect.passes.folding.unfolding import unfold
from autograd_inspect.passes.picturing import picture


def pictured(layers: int, depth: int | None = None) -> View:
    capture = make_layers(layers)
    folds = fold(capture)
    opening = open_all(folds) if depth is None else open_to_depth(folds, depth)
    return picture(unfold(folds, opening), capture)


def test_boxes_come_root_first_with_what_they_are() -> None:
    capture = make_layers(3)
    folds = fold(capture)
    view = picture(unfold(folds, Opening()), capture)
    headings = [view.heading(box) for box in range(len(view))]
    assert headings == ["loss", "h.0 … h.2 (Layer) ×3", "table (Embedding)"]
    assert [view.faces[face].role for face in view.face] == [Role.ROOT, Role.REPEAT, Role.MODULE]
    assert view.lines(1) == ("12 operations", "[2, 3]  ● 3 leaves")
    assert view.lines(2) == ("embedding [2, 3]  ● weight",)


def test_an_open_loop_is_a_frame_that_says_how_often_and_leads_on_to_itself() -> None:
    view = pictured(3, depth=1)
    assert [group.label for group in view.groups] == ["h.0 … h.2 (Layer) ×3, one shown"]
    arrows = list(zip(view.source, view.target, view.carried, strict=True))
    name = [view.heading(box) for box in range(len(view))]
    carried = {(name[a], name[b]) for a, b, back in arrows if back}
    assert carried == {("add", "add"), ("mlp (Mlp)", "add")}


def test_a_frame_in_a_frame_of_its_own_size_is_one() -> None:
    view = pictured(3)
    assert [group.label for group in view.groups] == [
        "h.0 … h.2 (Layer) ×3, one shown",
        "mlp (Mlp)",
    ]
    assert [group.parent for group in view.groups] == [-1, 0]


def test_the_note_says_what_the_boxes_stand_for_and_what_is_left_out() -> None:
    capture = make_layers(3)
    kept = capture.graph.node_table.depth > 0
    folds = fold(capture, kept=kept)
    (note,) = picture(unfold(folds, Opening()), capture).notes
    assert note == (
        "2 boxes stand for 13 operations and 4 leaves; 1 node is left out; "
        "×N: N alike, one of them shown"
    )


def test_several_outputs_are_told_apart_unless_all_go_to_one_user() -> None:
    capture = make_layers(1)
    graph = capture.graph
    count = len(graph)
    outputs = OutputTable(
        start=graph.output_table.start * 2,
        spec=graph.output_table.spec.repeat(2),
        arrived=graph.output_table.arrived.repeat(2),
    )
    folds = fold(replace(graph, output_table=outputs))
    view = picture(unfold(folds, open_all(folds)), graph)
    assert len(outputs.spec) == 2 * count
    assert set(view.label) == {"output 0"}
