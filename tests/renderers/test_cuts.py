"""The list of cuts: for people, for a pipe, for programs."""

from __future__ import annotations

import json

import pytest
from build import make_capture, make_graph
from flow import CutMade, with_cuts

from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.flow import CutKind
from autograd_inspect.renderers import cuts


def capture() -> Capture:
    return make_capture(with_cuts(make_graph("loss>mul mul>a")), recording=Recording.FULL)


def test_for_people_those_on_the_way_to_the_root_come_first() -> None:
    assert cuts.render(capture()).splitlines() == [
        "2 places cut the graph, 1 on the way to the root",
        "",
        "train.py:5: Tensor.detach detaches it from the graph",
        "  in step, [2, 3], 3 times",
        "  behind it: net.a, net.b",
        "  went into: mul at train.py:8 (node #1) 2 times",
        "  on the way to the root",
        "",
        "train.py:6: torch.sigmoid ran while gradients were switched off at train.py:4",
        "  in step, module gate (Linear), [2, 3], once",
    ]


def test_in_a_pipe_nothing_is_left_out() -> None:
    heading, *rows = cuts.tabbed(capture()).splitlines()
    first, second = (dict(zip(heading.split("\t"), row.split("\t"), strict=True)) for row in rows)
    assert (first["file"], first["line"], first["function"]) == ("train.py", "5", "step")
    assert (first["kind"], first["times"], first["reaches"]) == ("detach", "3", "true")
    assert first["leaves"] == "net.a, net.b"
    assert first["uses"] == "mul train.py:8 in step"
    assert (second["region"], second["module"], second["class"]) == (
        *("train.py:4 in step", "net.gate", "Linear"),
    )


def test_for_programs_it_is_one_object() -> None:
    found = json.loads(cuts.to_json(capture()))
    assert found["schema"] == "agi.cuts/1"
    assert found["capture"]["recording"] == "full"
    first, second = found["cuts"]
    assert (first["op"], first["kind"], first["reaches"]) == ("Tensor.detach", "detach", True)
    assert first["tensor"] == {"shape": [2, 3], "dtype": "float32", "device": "cpu"}
    assert first["uses"][0]["node"] == 1
    assert second["region"] == {"file": "train.py", "line": 4, "function": "step"}
    assert second["stack"] == [second["place"]]


def test_none_is_said() -> None:
    none = make_capture(recording=Recording.FULL)
    assert cuts.render(none) == "no place cut the graph\n"
    assert cuts.tabbed(none).count("\n") == 1
    assert json.loads(cuts.to_json(none))["cuts"] == []


def test_many_leaves_are_counted_for_people_only() -> None:
    leaves = tuple(f"net.{number}.weight" for number in range(100))
    cut = CutMade("Tensor.detach", CutKind.DETACH, leaves=leaves, raised=True)
    found = make_capture(with_cuts(make_graph("loss>a"), [cut]))
    assert "net.7.weight and 92 more" in cuts.render(found)
    assert "Tensor.detach detaches it from the graph, and raised" in cuts.render(found)
    assert "net.99.weight" in cuts.tabbed(found)


@pytest.mark.parametrize("kind", list(CutKind))
def test_every_kind_is_a_sentence(kind: CutKind) -> None:
    found = make_capture(with_cuts(make_graph("loss>a"), [CutMade("op", kind)]))
    assert f"op {kind.text}" in cuts.render(found)
    assert cuts.render(found, ascii=True).isascii()
