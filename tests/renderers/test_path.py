"""Paths as text. --update-golden writes the drawings anew: read the difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_gradients, make_graph, with_origins
from flow import CutMade, with_cuts
from rich.cells import cell_len

from autograd_inspect.api import paths
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.paths import Paths
from autograd_inspect.renderers import path

#: Two residual blocks, each of which takes what it was given twice.
BLOCKS = (
    "loss>add1 add1>relu1 relu1>mul1 add1>add2 mul1>add2 mul1>add2"
    " add2>relu2 add2>addmm relu2>mul2 mul2>addmm mul2>addmm addmm>net.weight"
)


def blocks() -> Graph:
    """Give the blocks their lines, modules and variables: loss 0, add1 1, ... net.weight 8."""
    graph = make_graph(BLOCKS)
    lines = {0: "train.py:9", 1: "net.py:8 forward", 4: "net.py:8 forward", 6: "net.py:3 forward"}
    calls = {1: "h.1:Block", 2: "h.1:Block", 4: "h.0:Block", 6: "stem:Linear"}
    return with_origins(graph, places=lines, calls=calls, variables={4: "x"})


def with_norms(graph: Graph) -> Capture:
    capture = make_capture(graph)
    table = replace(capture.gradients.table, node=graph.leaf_table.node)
    return replace(capture, gradients=replace(capture.gradients, table=table))


def found(name: str = "net.weight", *, top: int = 3) -> Paths:
    return paths(with_norms(blocks()), name, top=top)


def drawings() -> dict[str, str]:
    chain = graph_of([[node + 1] * 2 for node in range(60)] + [[]], names={0: "loss", 60: "w"})
    several = graph_of([[2], [2, 3], [3], [4], []], roots=[0, 1], names={0: "one", 4: "w"})
    plain = make_capture(make_graph("loss>mul mul>sin mul>cos sin>w cos>w"))
    return {
        "one path": path.render(found("#1")),
        "two paths": path.render(paths(plain, "w"), width=80),
        "many paths": path.render(found()),
        "many paths, narrow": path.render(found(), width=50),
        "many paths, ASCII": path.render(found(), width=80, ascii=True),
        "edges side by side": path.render(paths(make_capture(chain), "w"), most=9),
        "several roots": path.render(paths(make_capture(several), "w", top=0)),
        "not reached": path.render(unreached(), width=80),
    }


def unreached() -> Paths:
    cuts = [
        CutMade(
            "Tensor.detach", CutKind.DETACH, place="net.py:5 forward", leaves=("net.weight",),
            uses=(("mul", "net.py:6 forward", 1, 1),),
        ),
        CutMade("float", CutKind.NUMBER, leaves=("net.weight",)),
    ]  # fmt: skip
    capture = make_capture(with_cuts(make_graph("loss>mul mul>a"), cuts))
    gradients = make_gradients(["a", "net.weight"])
    reasons = np.array([Reason.ARRIVED, Reason.NOT_REACHED], np.uint8)
    table = replace(gradients.table, reason=reasons)
    return paths(replace(capture, gradients=replace(gradients, table=table)), "weight")


def test_known_drawings(golden: Callable[[str, str], None]) -> None:
    golden("paths.txt", "\n".join(f"# {title}\n{text}" for title, text in drawings().items()))


@pytest.mark.parametrize("width", [120, 80, 50, 30])
def test_colour_and_width_change_no_content(width: int) -> None:
    plain, wide = path.render(found(), width=width), path.render(found())
    assert "\x1b" in path.render(found(), width=width, color=True)
    for text in ("net.weight", "x", "loss", "∇1"):
        assert plain.count(text) >= wide.count(text) > 0
    rows = [line for line in plain.splitlines()[1:] if not line.endswith(":")]
    assert max(map(cell_len, rows)) <= width


def test_in_a_pipe_each_node_of_each_path_is_a_row() -> None:
    heading, *rows = path.tabbed(found()).splitlines()
    cells = [dict(zip(heading.split("\t"), row.split("\t"), strict=True)) for row in rows]
    trunk = [row for row in cells if row["path"] == "trunk"]
    assert [row["node"] for row in trunk] == ["8", "6", "4", "1", "0"]
    assert [row["ways"] for row in trunk] == ["1", "3", "3", "1", "1"]
    assert [row["between"] for row in trunk] == ["0", "2", "2", "0", "0"]
    first, second, third, *_ = trunk
    assert (first["op"], first["name"], first["norm"]) == ("AccumulateGrad", "net.weight", "1.0")
    assert (second["module"], second["class"], second["call"]) == ("model.stem", "Linear", "1")
    assert (third["title"], third["name"], third["file"], third["line"]) == (
        *("add", "x", "net.py", "8"),
    )
    assert {row["path"] for row in cells} == {"trunk"}  # the shortest runs through no other node
    few = path.tabbed(found(top=9)).splitlines()
    assert {row.split("\t")[0] for row in few[1:]} == {"1", "2", "3", "4"}


def read(text: str) -> dict:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_for_programs_it_is_one_object() -> None:
    as_json = read(path.to_json(found(top=9)))
    assert as_json["schema"] == "agi.path/1"
    assert (as_json["count"], as_json["shortest"], as_json["longest"]) == (9, 5, 9)
    assert as_json["roots"] == [{"node": 0, "name": "loss"}]
    assert len(as_json["paths"]) == 4
    for steps in as_json["paths"]:
        assert [steps[0]["node"], steps[-1]["node"]] == [8, 0]
    assert [step["node"] for step in as_json["trunk"]] == [8, 6, 4, 1, 0]
    assert as_json["trunk"][2]["place"] == {"file": "net.py", "line": 8, "function": "forward"}
    assert as_json["trunk"][0]["norm"] == 1.0


def test_a_count_that_json_readers_would_round_is_exact_all_the_same() -> None:
    chain = graph_of([[node + 1] * 2 for node in range(60)] + [[]], names={60: "w"})
    as_json = read(path.to_json(paths(make_capture(chain), "w")))
    assert int(as_json["count"], 0) == 2**60
    assert as_json["count_log10"] == pytest.approx(18.0618)


def test_a_norm_that_is_no_number_is_text() -> None:
    capture = with_norms(blocks())
    table = replace(capture.gradients.table, norm=np.array([np.nan]))
    capture = replace(capture, gradients=replace(capture.gradients, table=table))
    assert read(path.to_json(paths(capture, "net.weight")))["trunk"][0]["norm"] == "nan"


def test_what_is_not_reached_has_reason_and_cuts() -> None:
    as_json = read(path.to_json(unreached()))
    assert (as_json["node"], as_json["count"], as_json["count_log10"]) == (None, 0, None)
    assert as_json["reason"] == "not reached from the root"
    assert [cut["op"] for cut in as_json["cuts"]] == ["Tensor.detach", "float"]
    assert as_json["trunk"] == as_json["paths"] == []


def test_hostile_names_stay_on_their_line() -> None:
    graph = graph_of([[1], []], names={0: "a\tb", 1: "w\nx"})
    every = paths(make_capture(graph), "w\nx")
    assert path.tabbed(every).count("\n") == 3
    assert {row.count("\t") for row in path.tabbed(every).splitlines()} == {16}
    assert path.render(every).count("\n") == 3
