"""What all text outputs share: words for where things come from."""

from __future__ import annotations

import pytest
from build import make_graph, with_origins
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.renderers.text import Origins, listed, tails_of


@pytest.mark.parametrize(
    ("files", "tails"),
    [
        (["train.py"], ["train.py"]),
        (["lib/a/model.py", "train.py"], ["model.py", "train.py"]),
        (["lib/a/model.py", "lib/b/model.py"], ["a/model.py", "b/model.py"]),
        (["model.py", "lib/model.py"], ["model.py", "lib/model.py"]),
        (["a/x/m.py", "b/x/m.py", "c/y/m.py"], ["a/x/m.py", "b/x/m.py", "y/m.py"]),
        (["C:\\one\\model.py", "C:\\two\\model.py"], ["one/model.py", "two/model.py"]),
        (["a/m.py", "a\\m.py"], ["a/m.py", "a\\m.py"]),
        ([], []),
    ],
)
def test_files_are_told_apart_by_as_little_as_needed(files: list[str], tails: list[str]) -> None:
    assert tails_of(files) == dict(zip(files, tails, strict=True))


@given(st.sets(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)))
def test_no_two_files_look_alike(files: set[str]) -> None:
    tails = tails_of(files)
    assert set(tails) == files
    assert len(set(tails.values())) == len(files)
    assert all(file.endswith(tail) for file, tail in tails.items())


def test_a_module_is_written_as_its_path_with_what_makes_it_clear() -> None:
    calls = {0: ":Net", 1: "0.lin:Linear", 2: "head:Linear#1", 3: "head:Linear#2"}
    graph = with_origins(make_graph("loss>mul mul>sin sin>cos cos>w"), calls=calls)
    origins = Origins(graph)
    written = [origins.call(int(graph.node_table.call[node])) for node in range(5)]
    assert written == ["model", "model.0.lin", "head call 1", "head call 2", ""]


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "a"), (3, "a, a, a"), (4, "a, a and 2 more")]
)
def test_one_more_name_is_written_out_rather_than_counted(count: int, text: str) -> None:
    assert listed(["a"] * count, most=2) == text
