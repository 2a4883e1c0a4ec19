"""Which tensor a name means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build import make_capture, make_gradients, make_graph, with_origins

from autograd_inspect.analyses.tensors import find_tensor
from autograd_inspect.errors import UsageError
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradients import Reason

#: loss 0, mul 1, addmm 2, net.fc1.weight 3, net.fc2.weight 4, sin 5, scale 6
GRAPH = "loss>mul mul>addmm addmm>net.fc1.weight addmm>net.fc2.weight mul>sin sin>scale"


def capture() -> Capture:
    """Make a capture with variables, a tied leaf, and a parameter that is not reached."""
    graph = make_graph(GRAPH)
    graph = with_origins(
        graph,
        variables={1: "h", 2: "h", 5: "query, key"},
        places={1: "train.py:8", 2: "model.py:5 forward"},
        calls={2: "fc1:Linear"},
    )
    names = (*graph.names, "net.tied, other.tied")
    aliases = np.array([-1, len(names) - 1, -1], np.int32)
    graph = replace(graph, names=names, leaf_table=replace(graph.leaf_table, aliases=aliases))
    made = make_capture(graph)
    gradients = make_gradients(["net.fc1.weight", "net.spare.weight", "net.frozen"])
    reasons = np.array([Reason.ARRIVED, Reason.NOT_REACHED, Reason.REQUIRES_NO_GRAD], np.uint8)
    table = replace(gradients.table, node=np.array([3, -1, -1], np.int32), reason=reasons)
    return replace(made, gradients=replace(gradients, table=table))


@pytest.mark.parametrize(
    ("text", "name", "node"),
    [
        ("net.fc1.weight", "net.fc1.weight", 3),
        ("fc1.weight", "net.fc1.weight", 3),
        ("scale", "scale", 6),
        ("loss", "loss", 0),
        ("key", "key", 5),
        ("query", "query", 5),
        ("#4", "#4", 4),
        ("4", "#4", 4),
        ("other.tied", "other.tied", 4),
        ("spare.weight", "net.spare.weight", -1),
    ],
)
def test_a_tensor_is_found(text: str, name: str, node: int) -> None:
    found = find_tensor(capture(), text)
    assert (found.name, found.node) == (name, node)


def test_all_names_of_a_leaf_are_known() -> None:
    found = find_tensor(capture(), "other.tied")
    assert found.names == ("net.fc2.weight", "net.tied", "other.tied")


def test_what_is_not_in_the_graph_has_a_reason() -> None:
    assert find_tensor(capture(), "net.spare.weight").reason is Reason.NOT_REACHED
    assert find_tensor(capture(), "frozen").reason is Reason.REQUIRES_NO_GRAD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("h", ["2 tensors", "#1 mul (train.py:8)", "#2 addmm (fc1, model.py:5)"]),
        ("weight", ["3 tensors", "net.fc1.weight", "net.fc2.weight", "net.spare.weight"]),
        ("#99", ["no such node"]),
        ("99", ["no such node"]),
    ],
)
def test_what_is_several_or_too_far_says_which_there_are(text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        find_tensor(capture(), text)
    assert all(word in caught.value.message for word in words), caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("net.fc1.wieght", "net.fc1.weight"),
        ("sacle", "scale"),
        ("fc1.wegiht", "net.fc1.weight"),
        ("xyzzy", "agi grads"),
    ],
)
def test_a_name_nobody_has_brings_near_ones(text: str, meant: str) -> None:
    with pytest.raises(UsageError, match=text) as caught:
        find_tensor(capture(), text)
    assert meant in caught.value.hint


def test_a_leaf_goes_before_a_variable_of_its_name() -> None:
    graph = with_origins(make_graph("loss>mul mul>x"), variables={1: "x"})
    assert find_tensor(make_capture(graph), "x").node == 2


def test_many_of_one_name_are_counted() -> None:
    text = " ".join(f"sin{number}>sin{number + 1}" for number in range(30)) + " sin30>w"
    graph = with_origins(make_graph(text), variables=dict.fromkeys(range(31), "x"))
    with pytest.raises(UsageError, match=r"31 tensors.* and 26 more"):
        find_tensor(make_capture(graph), "x")
