"""JSON: strict, complete, and as the graph is."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
from build import graph_of, make_capture, make_graph, with_origins
from flow import Overwritten, with_cuts, with_overwritten

from autograd_inspect.model.capture import Capture, Recording
from autograd_inspect.model.tables import OutputTable, Spec
from autograd_inspect.renderers import jsonfile


def read(capture: Capture) -> dict:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(jsonfile.render(capture), parse_constant=refuse)


def test_nodes_and_edges_are_those_of_the_graph() -> None:
    found = read(make_capture("loss>mul mul>a mul>b mul>a"))
    assert found["schema"] == "agi.graph/1.2"
    assert [node["op"] for node in found["nodes"]] == [
        "LossBackward0",
        "MulBackward0",
        "AccumulateGrad",
        "AccumulateGrad",
    ]
    assert found["edges"][1] == {
        "source": 1,
        "slot": 0,
        "target": 2,
        "output": 0,
        "gradient": None,
    }
    assert [edge["slot"] for edge in found["edges"]] == [0, 0, 1, 2]
    assert found["roots"] == [{"node": 0, "output": 0, "name": "loss"}]
    assert found["leaves"][1] == {
        "node": 3,
        "name": "b",
        "aliases": [],
        "requires_grad": True,
    }
    assert found["capture"]["place"] == {"file": "train.py", "line": 12, "function": "train"}


def test_undefined_edges_keep_the_numbers_of_the_others() -> None:
    found = read(make_capture(graph_of([[-1, 1], []])))
    assert found["edges"] == [{"source": 0, "slot": 1, "target": 1, "output": 0, "gradient": None}]


def test_what_is_not_known_is_null() -> None:
    graph = make_graph("mul>a")
    table = OutputTable(np.array([0, 1, 2]), np.array([0, -1], np.int32), np.full(2, -1, np.int32))
    found = read(make_capture(replace(graph, output_table=table)))
    assert found["nodes"][1]["outputs"] == [None]
    assert found["nodes"][1]["sequence"] is None
    assert found["nodes"][0]["outputs"] == [{"shape": [2, 3], "dtype": "float32", "device": "cpu"}]


def test_numbers_that_json_has_not_are_text() -> None:
    attributes = json.dumps({"alpha": math.nan, "bounds": [math.inf, -math.inf, 1.5]})
    found = read(make_capture(graph_of([[1], []], attributes=attributes)))
    assert found["nodes"][0]["attributes"] == {"alpha": "nan", "bounds": ["inf", "-inf", 1.5]}


def test_saved_tensors_are_listed_with_their_node() -> None:
    graph = with_overwritten(make_graph("mul>a"), [Overwritten(0, "self", "Tensor.add_")])
    graph = replace(graph, specs=(Spec(("s0", 3), "float32", "cpu"),))
    found = read(make_capture(graph))
    tensor = {"shape": ["s0", 3], "dtype": "float32", "device": "cpu"}
    assert found["nodes"][0]["saved"] == [
        {
            "name": "self",
            "tensor": tensor,
            "bytes": 24,
            "state": "held",
            "role": "activation",
            "origin": None,
            "packer": "",
            "stale": True,
            "write": 0,
        }
    ]
    assert found["writes"] == [{"op": "Tensor.add_", "stack": None, "module": None, "version": 1}]


def test_lines_modules_and_variables_are_tables_that_nodes_refer_to() -> None:
    graph = with_origins(
        make_graph("loss>mul mul>a"),
        places={1: "model.py:12 forward < train.py:3"},
        calls={0: ":Net", 1: "h.0.lin:Linear"},
        variables={1: "x"},
    )
    found = read(make_capture(graph))
    loss, mul, leaf = found["nodes"]
    assert [node["title"] for node in found["nodes"]] == ["loss", "mul", "AccumulateGrad"]
    assert (loss["stack"], leaf["stack"], leaf["call"], loss["variable"]) == (None, None, None, "")
    assert mul["variable"] == "x"
    stack = found["stacks"][mul["stack"]]
    assert [found["places"][row] for row in stack["lines"]] == [
        {"file": "model.py", "line": 12, "function": "forward"},
        {"file": "train.py", "line": 3, "function": "<module>"},
    ]
    call = found["calls"][mul["call"]]
    assert found["modules"][call["module"]] == {
        "owner": "model",
        "path": "h.0.lin",
        "class": "Linear",
    }
    assert (call["number"], call["parent"]) == (1, loss["call"])
    assert found["calls"][loss["call"]]["parent"] is None


def test_cuts_are_there_with_what_they_refer_to() -> None:
    graph = with_cuts(make_graph("loss>mul mul>a"))
    found = read(make_capture(graph, recording=Recording.FULL))
    assert found["capture"]["recording"] == "full"
    _, first = found["cuts"]
    assert (first["kind"], first["op"], first["times"]) == ("detach", "Tensor.detach", 3)
    assert first["leaves"] == ["net.a", "net.b"]
    place = {"file": "train.py", "line": 8, "function": "step"}
    assert first["uses"] == [{"op": "mul", "place": place, "node": 1, "times": 2}]
    assert found["places"][found["stacks"][first["stack"]]["lines"][0]]["line"] == 5


def test_any_name_is_one_string() -> None:
    name = 'a"b\\c\nd\u202e\ud800é'
    graph = graph_of([[1], []], names={1: name})
    assert read(make_capture(graph))["leaves"][0]["name"] == name


def test_it_comes_in_pieces() -> None:
    capture = make_capture(graph_of([[i + 1] for i in range(19_999)] + [[]]))
    pieces = list(jsonfile.pieces(capture))
    assert max(map(len, pieces)) < 2_000
    assert len(json.loads("".join(pieces))["nodes"]) == 20_000
