"""The memory table: for people on a terminal, exact everywhere else."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from build import make_capture, make_graph, with_origins
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from autograd_inspect.analyses.words import GROUPINGS
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.memory import Held, Memory, Packed
from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.tables import SavedRole, Spec
from autograd_inspect.renderers import memory as drawn
from autograd_inspect.renderers.text import safe, size

PARTS = ("parameters", "buffers", "inputs", "activations", "other")
FIGURES = ("tensors", "nodes", "total", "unique", *PARTS)


def held(name: str, unique: int, total: int | None = None, **facts: object) -> Held:
    """Make a row, all of whose bytes are activations."""
    figures = dict.fromkeys(PARTS, 0) | {"activations": unique}
    known = {"name": name, "tensors": 2, "nodes": 1, "total": total or unique, "unique": unique}
    return Held(**(known | figures | facts))  # type: ignore[arg-type]


def memory_of(*rows: Held, **facts: object) -> Memory:
    """Make a table of all these rows."""
    added = (*PARTS, "unique", "total")
    figures = {name: sum(getattr(row, name) for row in rows) for name in added}
    known = {
        "by": "op", "rows": rows, "groups": len(rows), "storages": len(rows), "packed": (),
        "tensors": sum(row.tensors for row in rows), "freed": 0, "unseen": 0, "omitted": "",
        "weights": -1, "grads": -1,
    }  # fmt: skip
    return Memory(**(figures | known | facts))  # type: ignore[arg-type]


def sample(**facts: object) -> Memory:
    return memory_of(
        held("addmm", 3 * 2**20, 4 * 2**20, parameters=2**20, activations=2 * 2**20),
        held("relu", 1536),
        held("mul", 0, 1536),
        **facts,
    )


def lines_of(memory: Memory, capture: Capture | None = None, **look: object) -> list[str]:
    return drawn.render(capture or make_capture(), memory, **look).splitlines()  # type: ignore[arg-type]


def test_a_terminal_gets_readable_sizes_and_shares() -> None:
    heading, addmm, relu, mul, *_ = lines_of(sample(), width=100)
    assert heading.split() == [
        *("op", "tensors", "total", "unique", "share", "parameters", "activations"),
    ]
    assert " ".join(addmm.split()) == "addmm 2 4.0 MiB 3.0 MiB 99.9% 1.0 MiB 2.0 MiB"
    assert " ".join(relu.split()) == "relu 2 1.5 KiB 1.5 KiB 0.1% 1.5 KiB"
    assert " ".join(mul.split()) == "mul 2 1.5 KiB 0%"


def test_the_sums_stand_below() -> None:
    packed = (Packed("checkpoint", 9, 0), Packed("save_on_cpu", 1, 2048))
    found = sample(packed=packed, weights=2**30, grads=0)
    assert lines_of(found)[5:] == [
        "6 tensors in 3 storages · 3.0 MiB held · 4.0 MiB if none were shared",
        "parameters 1.0 MiB · activations 2.0 MiB",
        "packed by checkpoint: 9 tensors, made anew in backward",
        "packed by save_on_cpu: 1 tensor, 2.0 KiB",
        "all parameters of the program 1.0 GiB · their gradients so far 0 B",
    ]


def test_rows_that_are_not_shown_are_counted() -> None:
    found = sample()
    few = replace(found, rows=found.rows[:1])
    assert "1 of 3 shown, largest first" in lines_of(few)


def test_columns_without_a_byte_are_left_out() -> None:
    packed = memory_of(held("mul", 8, activations=0, other=8))
    assert lines_of(packed, width=100)[0].split()[-1] == "other"
    assert "other" not in lines_of(sample(), width=100)[0]


@pytest.mark.parametrize("width", [100, 70, 50, 30])
@pytest.mark.parametrize("by", GROUPINGS)
def test_a_narrow_terminal_drops_columns_and_says_which(by: str, width: int) -> None:
    spec = Spec((2, 3), "float64", "cpu")
    rows = [held(f"name{n}", 10**n, spec=spec, role=SavedRole.INPUT) for n in range(4)]
    lines = lines_of(memory_of(*rows, by=by), width=width)
    table, note = lines[:5], lines[5]
    if width >= 50:
        assert max(map(cell_len, table)) <= width
    assert note.startswith("no room for") == (note != "")
    assert all(name in "\n".join(table) for name in ("name0", "name3", "share"))


def test_lines_and_modules_are_named_as_elsewhere() -> None:
    graph = with_origins(
        make_graph("loss>mul mul>a"), places={0: "src/net.py:3"}, calls={0: "fc:Linear"}
    )
    capture = make_capture(graph)
    lines = memory_of(
        held("src/net.py:3", 8, place=Place("src/net.py", 3, "forward")),
        held("(no line recorded)", 4),
        by="line",
    )
    assert [line.split("  ")[0] for line in lines_of(lines, capture)[1:3]] == [
        "net.py:3",
        "(no line recorded)",
    ]
    modules = memory_of(held("fc", 8, module=Module("model", "fc", "Linear")), by="module")
    assert lines_of(modules, capture)[1].startswith("fc (Linear)  ")


def test_a_tensor_has_shape_role_and_holders() -> None:
    row = held(
        "hidden", 24, nodes=3, spec=Spec((2, 3), "float32", "cpu"), role=SavedRole.ACTIVATION
    )
    heading, line, *_ = lines_of(memory_of(row, by="tensor"), width=80)
    assert heading.split() == ["tensor", "shape", "dtype", "role", "nodes", "held", "share"]
    assert line.split() == ["hidden", "[2,", "3]", "float32", "activation", "3", "24", "B", "100%"]


def test_colour_only_repeats_what_the_text_says() -> None:
    assert "\x1b[" in drawn.render(make_capture(), sample(), color=True)
    assert "\x1b" not in drawn.render(make_capture(), sample())
    odd = memory_of(held("é\x1b[31m\n", 8), weights=5)
    assert drawn.render(make_capture(), odd, ascii=True).isascii()
    assert "\\x1b[31m\\n" in lines_of(odd)[1]


def test_nothing_held_is_said_and_not_drawn() -> None:
    freed = memory_of(freed=7)
    assert drawn.render(make_capture(), freed) == ""
    assert list(drawn.remarks(freed)) == [
        "nothing is held any more: 7 saved tensors were freed by a backward before the capture"
    ]
    assert list(drawn.remarks(memory_of(freed=1))) == [
        "nothing is held any more: 1 saved tensor was freed by a backward before the capture"
    ]
    assert list(drawn.remarks(memory_of())) == ["no node of this graph keeps a tensor for backward"]


def test_what_is_missing_is_said() -> None:
    assert list(drawn.remarks(sample())) == []
    assert list(drawn.remarks(sample(freed=2, unseen=1))) == [
        "besides, 2 saved tensors had been freed by a backward before the capture",
        "not counted: what 1 in-place write to views may keep, which torch does not show",
    ]
    assert list(drawn.remarks(sample(packed=(Packed("checkpoint", 9, 0),)))) == [
        "not counted: the inputs of checkpointed blocks, which are no part of the graph"
    ]
    assert list(drawn.remarks(memory_of(omitted="saved tensors (why)"))) == [
        "not in this capture: saved tensors (why)"
    ]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
        (2**20 - 1, "1.0 MiB"), (2**20, "1.0 MiB"), (13_002_342, "12.4 MiB"),
        (2**30, "1.0 GiB"), (3 * 2**40, "3.0 TiB"), (2**51, "2048.0 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_written_in_the_unit_that_reads_best(count: int, text: str) -> None:
    assert size(count) == text


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """Draw tables of any names and sizes, by anything."""
    by = draw(st.sampled_from(GROUPINGS))
    whole = st.integers(0, 2**60)
    rows = []
    for name in draw(st.lists(st.text(max_size=12), max_size=5)):
        parts = {part: draw(whole) for part in PARTS}
        place = Place(draw(st.text(max_size=9)), 3, draw(st.text(max_size=9)))
        facts = {
            "place": place if by == "line" and draw(st.booleans()) else None,
            "module": Module("net", "a.b", name)
            if by == "module" and draw(st.booleans())
            else None,
            "spec": Spec((2, "s0"), "float32", "cpu") if by == "tensor" else None,
            "role": draw(st.sampled_from([None, *SavedRole])) if by == "tensor" else None,
            "node": draw(st.integers(-1, 9)),
        }
        rows.append(held(name, sum(parts.values()), draw(whole), **parts, **facts))
    return memory_of(*rows, by=by, weights=draw(st.integers(-1, 9)))


@given(memories())
def test_json_is_strict_and_reads_back_the_same(memory: Memory) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    whole = json.loads(drawn.to_json(make_capture(), memory), parse_constant=refuse)
    assert (whole["schema"], whole["by"]) == ("agi.memory/1", memory.by)
    assert whole["capture"]["target"] == "train.py"
    totals = whole["totals"]
    for figure in ("tensors", "storages", "groups", "total", "unique", *PARTS):
        assert totals[figure] == getattr(memory, figure)
    assert totals["program"]["parameters"] == (memory.weights if memory.weights >= 0 else None)
    for row, told in zip(memory.rows, whole["rows"], strict=True):
        assert told["name"] == row.name
        assert [told[name] for name in FIGURES] == [getattr(row, name) for name in FIGURES]
        assert told["share"] == memory.share(row)
    if memory.by == "tensor" and memory.rows:
        assert whole["rows"][0]["shape"] == [2, "s0"]


@given(memories())
def test_csv_and_pipe_read_back_the_same(memory: Memory) -> None:
    read = list(csv.DictReader(io.StringIO(drawn.csv(memory), newline="")))
    heading, *piped = drawn.tabbed(memory).removesuffix("\n").split("\n")
    for row, told, line in zip(memory.rows, read, piped, strict=True):
        assert dict(zip(heading.split("\t"), line.split("\t"), strict=True)) == told
        assert told["name"] == safe(row.name)
        assert [int(told[name]) for name in FIGURES] == [getattr(row, name) for name in FIGURES]
        assert float(told["share"]) == memory.share(row)


@given(memories(), st.integers(20, 120))
def test_any_table_can_be_drawn(memory: Memory, width: int) -> None:
    for line in lines_of(memory, width=width, ascii=True):
        assert line.isprintable()
        assert line.isascii()
