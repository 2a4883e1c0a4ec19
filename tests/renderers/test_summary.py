"""The lines below a tree: what was recorded, what cut the graph, what was overwritten."""

from __future__ import annotations

import pytest
from build import make_capture, make_graph, with_origins
from flow import CutMade, Overwritten, with_cuts, with_overwritten

from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.flow import CutKind
from autograd_inspect.renderers import summary


def below_the_place(capture: Capture) -> list[str]:
    return summary.render(capture).splitlines()[2:]


@pytest.mark.parametrize("level", list(Recording))
def test_says_what_was_recorded_and_what_more_there_is(level: Recording) -> None:
    line = below_the_place(make_capture(recording=level))[0]
    told = f"recorded: {level.recorded}"
    assert line == (f"{told} · {level.missing}" if level.missing else told)


def test_cuts_on_the_way_to_the_root_come_first() -> None:
    graph = with_cuts(make_graph("loss>mul mul>a"))
    assert below_the_place(make_capture(graph, recording=Recording.FULL))[1:] == [
        "2 places cut the graph, 1 on the way to the root (agi show --cuts):",
        (
            "  train.py:5: Tensor.detach detaches it from the graph; behind it net.a and 1 more; "
            "went into mul at train.py:8 (node #1)"
        ),
        "  train.py:6: torch.sigmoid ran while gradients were switched off at train.py:4",
    ]


def test_of_many_cuts_a_few_are_told() -> None:
    leaves = tuple(f"w{number}" for number in range(9))
    many = [
        CutMade("float", CutKind.NUMBER, place=f"train.py:{line}", leaves=leaves)
        for line in range(1, 30)
    ]
    text = below_the_place(make_capture(with_cuts(make_graph("loss>a"), many)))
    assert len(text) == 5
    assert text[1].startswith("29 places cut the graph, 0 on the way to the root")
    assert text[2].endswith("behind it w0 and 8 more")


def test_no_cut_is_said_where_somebody_looked() -> None:
    assert below_the_place(make_capture(recording=Recording.FULL))[1:] == ["no place cut the graph"]
    assert len(below_the_place(make_capture(recording=Recording.LIGHT))) == 1


def test_an_overwritten_tensor_is_told_with_the_line_that_did_it() -> None:
    graph = with_origins(make_graph("loss>mul mul>a"), places={1: "model.py:12 forward"})
    saved = [
        Overwritten(1, "self", "Tensor.add_", "model.py:16 forward"),
        Overwritten(1, "other"),
        *[Overwritten(0, "result")] * 3,
    ]
    assert below_the_place(make_capture(with_overwritten(graph, saved)))[1:] == [
        "saved `self` of mul (model.py:12) was overwritten by Tensor.add_ at model.py:16",
        "saved `other` of mul (model.py:12) was overwritten in place",
        "saved `result` of loss was overwritten in place",
        "2 more saved tensors were overwritten",
    ]
