"""What changed, in words: few lines on a terminal, exact everywhere else."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from build import graph_of, make_capture, make_graph, with_origins
from edits import capture_of
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from torch import nn

from autograd_inspect import Capture, diff
from autograd_inspect.analyses.changes import summarise
from autograd_inspect.model.diff import Diff
from autograd_inspect.model.gradients import Reason
from autograd_inspect.renderers import diff as drawn
from autograd_inspect.renderers import diff_table
from autograd_inspect.renderers.diff import Fit

#: Behind what happened several times.
TIMES = "\N{MULTIPLICATION SIGN}"


def text_of(found: Diff, fit: Fit | None = None, **look: bool) -> str:
    return drawn.render(found, summarise(found), fit or Fit(), **look)


def lines_of(found: Diff) -> list[str]:
    """Give the lines of changes, words set apart by one space."""
    lines = text_of(found).split("\n\n")[1].splitlines()
    return [" ".join(line.split()) for line in lines]


def blocks(count: int, width: int = 8) -> nn.Module:
    layers = (nn.Sequential(nn.Linear(4, width), nn.Linear(width, 4)) for _ in range(count))
    return nn.Sequential(*layers)


def test_what_is_the_same_is_said_in_one_line() -> None:
    capture = make_capture("loss>mul mul>a mul>b")
    assert text_of(diff(capture, capture)) == (
        "no difference in structure, shapes, saved, grads: 4 nodes, 2 leaves, 0 B held, in both\n"
    )


def test_a_module_that_is_new_is_one_line_with_what_it_costs() -> None:
    found = diff(capture_of(blocks(2), (2, 4)), capture_of(blocks(3), (2, 4)), what=["structure"])
    (line,) = lines_of(found)
    assert line.startswith("+ net.2 (Sequential) 4 nodes, 4 leaves saves ")
    head = text_of(found).splitlines()
    assert head[2] == "+ 8 added   - 0 removed   ~ 0 changed"
    assert head[3].startswith("nodes 18 → 26 · leaves 9 → 13 · held ")


def test_the_same_in_many_modules_is_one_line_with_their_numbers() -> None:
    before, after = (capture_of(blocks(11, width), (2, 4)) for width in (8, 16))
    lines = lines_of(diff(before, after, what=["shapes"]))
    assert lines[0] == "~ net.{0…10}.0.weight shape [8, 4] → [16, 4] " + TIMES + "11"
    assert lines[3] == "~ addmm net.{0…10}.0 (Linear) shape [2, 8] → [2, 16] " + TIMES + "11"
    assert len(lines) == 6


def test_renamed_modules_are_named_and_the_many_counted() -> None:
    class Wrapped(nn.Module):
        def __init__(self, name: str, count: int) -> None:
            super().__init__()
            self.add_module(name, nn.ModuleList(nn.Linear(4, 4) for _ in range(count)))
            self.name = name

        def forward(self, x):
            for layer in getattr(self, self.name):
                x = layer(x)
            return x

    before, after = (capture_of(Wrapped(name, 5), (2, 4)) for name in ("h", "layers"))
    renamed = text_of(diff(before, after)).splitlines()[4]
    assert renamed == "~ net.h.0 → net.layers.0 … net.h.4 → net.layers.4, 5 in all, (Linear)"


def with_norms(*norms: float) -> Capture:
    capture = make_capture()
    nodes = capture.graph.leaf_table.node
    table = replace(capture.gradients.table, norm=np.array(norms), node=nodes)
    return Capture(capture.graph, replace(capture.gradients, table=table), capture.about)


def test_gradients_are_told_apart_from_the_rest() -> None:
    text = text_of(diff(with_norms(1, 2), with_norms(math.nan, 5)))
    assert "~ 0 changed" in text
    *_, title, first, second = text.splitlines()
    assert title == "gradients of 2 leaves differ by more than 1%"
    assert first.split() == ["~", "a", "∇1", "→", "nan"]
    assert second.split() == ["~", "b", "∇2", "→", "5", TIMES + "2.5"]


def test_only_so_many_lines_are_printed_as_asked_for() -> None:
    found = diff(capture_of(blocks(3), (2, 4)), capture_of(blocks(3, 16), (2, 4)), what=["shapes"])
    text = text_of(found, Fit(2, 2))
    assert "\n4 more lines: --all\n" in text
    every = drawn.render(found, summarise(found, fold=False), Fit(None, None))
    assert every.count("shape [") == len(found)


HOSTILE = "\x1b[2J\n\t[bold]\u202e" + "界" * 60


@given(width=st.integers(20, 120), ascii=st.booleans())
def test_hostile_names_stay_within_their_lines(width: int, ascii: bool) -> None:  # noqa: A002
    one = graph_of([[1, 2], [], []], names={1: HOSTILE, 2: "b"})
    two = graph_of([[1, 2, 3], [], [], []], names={1: "a", 2: "b", 3: HOSTILE})
    calls = {0: f"{HOSTILE}:{HOSTILE}"}
    captures = [make_capture(with_origins(one, calls=calls)), make_capture(with_origins(two))]
    found = diff(*captures)
    text = text_of(found, Fit(width=width), ascii=ascii)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if ascii:
        assert text.isascii()
    table = text.split("\n\n")[1]
    assert all(cell_len(line) <= max(width, 40) for line in table.splitlines())
    rows = [line.split("\t") for line in diff_table.tabbed(found).splitlines()]
    assert {len(row) for row in rows} == {9}


def test_a_pipe_gets_every_fact_in_full() -> None:
    before, after = (capture_of(blocks(1, width), (2, 4)) for width in (8, 16))
    found = diff(before, after)
    head, *rows = [line.split("\t") for line in diff_table.tabbed(found).splitlines()]
    assert head == ["mark", "op", "name", "module", "before", "after", "fact", "was", "is"]
    assert len(rows) == sum(len(one.contrasts) for one in found)
    facts = {(row[2] or row[3], row[6]): (row[7], row[8]) for row in rows}
    assert facts["net.0.0.weight", "shape"] == ("[8, 4]", "[16, 4]")
    numbers = [(int(row[4]), int(row[5])) for row in rows]
    assert {before.graph.node(one).op for one, _ in numbers} == {row[1] for row in rows}
    assert list(csv.reader(io.StringIO(diff_table.csv(found)))) == [head, *rows]


def test_json_is_strict_and_complete() -> None:
    found = diff(with_norms(1, math.inf), with_norms(math.nan, 2))
    told = json.loads(diff_table.to_json(found), parse_constant=pytest.fail)
    assert told["schema"] == "agi.diff/1"
    assert told["compared"] == ["structure", "shapes", "saved", "grads"]
    assert told["totals"]["nodes"] == [4, 4]
    assert (told["totals"]["changed"], told["totals"]["drifted"]) == (0, 2)
    assert [row["changes"] for row in told["rows"]] == [
        [{"fact": "grad", "before": 1.0, "after": "nan"}],
        [{"fact": "grad", "before": "inf", "after": 2.0}],
    ]


def test_json_numbers_nodes_as_their_captures_do() -> None:
    one, two = make_capture("loss>mul mul>a"), make_capture("loss>exp exp>mul mul>a")
    (row,) = json.loads(diff_table.to_json(diff(one, two)))["rows"]
    assert (row["mark"], row["op"], row["before"], row["after"]) == ("+", "ExpBackward0", None, 1)


def test_a_missing_gradient_is_said_in_words() -> None:
    one = with_norms(1, 2)
    reason = np.array([Reason.ARRIVED, Reason.NOTHING_FLOWED], np.uint8)
    table = replace(one.gradients.table, reason=reason)
    two = Capture(one.graph, replace(one.gradients, table=table), one.about)
    assert "∇2 → reached, but no gradient was sent" in text_of(diff(one, two))


def test_signs_say_what_colours_do() -> None:
    one, two = make_capture("loss>mul mul>a"), make_capture("loss>exp exp>mul mul>a")
    plain, painted = text_of(diff(one, two)), text_of(diff(one, two), color=True)
    assert "\n+ exp" in plain
    assert "\x1b[32m+ exp" in painted


def test_names_of_a_graph_without_modules_are_not_needed() -> None:
    found = diff(make_capture(make_graph("loss>mul mul>a")), make_capture("loss>exp exp>mul mul>a"))
    assert lines_of(found) == ["+ exp [2, 3]"]
