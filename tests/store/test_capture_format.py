from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
from build import make_capture
from forge import assert_same, members_of, read_everything
from sample import FOLDER, sample

from autograd_inspect.model.capture import About, Backward, Recording
from autograd_inspect.model.flow import CutKind
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.levels import Probe
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.probes import Birth, Operand
from autograd_inspect.model.tables import Ints, Kind, NodeTable, SavedRole, SavedState, Spec
from autograd_inspect.store import archive, fit, load, save
from autograd_inspect.store.columns import TABLES, columns, interned, parts_of, tables_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "capture-format.md").read_text(encoding="utf-8")

#: Integers that are figures, not row numbers: nothing to check but their type.
FIGURES = {
    *("edges.start", "edges.output", "outputs.start", "roots.output", "nodes.sequence"),
    *("nodes.hooks", "saved.bytes", "saved.storage", "calls.number", "writes.version"),
    *("cuts.times", "cut_uses.times", "nodes.spent", "passed.zeros", "passed.nan", "passed.inf"),
    *("passed.count",),
    *("times.forward", "times.forward_total", "times.backward", "times.backward_total"),
    *("times.runs", "times.began", "times.backward_began"),
    *("times.allocated", "times.backward_allocated", "times.device", "times.backward_device"),
    *("outside.backward", "outside.calls", "outside.time", "outside.allocated", "outside.device"),
    *("grads.zeros", "grads.nan", "grads.inf", "grads.count", "grads.histogram"),
}


# The page and the code say the same


def test_the_page_lists_every_column_and_no_other() -> None:
    told = re.findall(r"^\| `(\w+\.\w+)` \| (\w+) \| ([\w +,]+) \|", PAGE, re.MULTILINE)
    counts = dict.fromkeys(TABLES, 10) | {"nodes": 20}
    shapes = {(21,): "nodes + 1", (10, 16): "n, 16"}
    assert told == [
        (column.name, str(column.dtype), shapes.get(column.shape(counts), "n"))
        for column in columns()
    ]


def test_the_page_lists_every_key() -> None:
    told = re.findall(r"^\| `about\.(\w+)` \|", PAGE, re.MULTILINE)
    assert told == [key.name for key in fields(About)]
    told = re.findall(r"^\| `((?:graph|grads|curves)\.\w+)` \| [^|]+ \| `", PAGE, re.MULTILINE)
    assert told == [f"{part}.{name}" for part, names in interned().items() for name in names]


def test_the_page_says_which_columns_point_where() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| [^|]+ \| (`[^|]+) \|$", PAGE, re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+\.\w+)`", by)) for name, by in rows}
    found: dict[str, set[str]] = {name: set() for name in told}
    for column in columns():
        into = fit.points_into(column)
        if into in found:
            found[into].add(column.name)
    assert told == found | {"graph.places": {"graph.stacks"}}
    for column in columns():  # and each column's own row says it too
        into = fit.points_into(column)
        if isinstance(into, str) and into not in {"nodes", "cuts"}:
            row = rf"^\| `{re.escape(column.name)}` .* \| (.+) \|$"
            (meaning,) = re.findall(row, PAGE, re.MULTILINE)
            assert f"row in `{into}`" in meaning, column.name


@pytest.mark.parametrize("record", [Spec, Place, Stack, Module, Birth, Operand])
def test_the_page_shows_the_keys_of_every_record(record: type) -> None:
    keys = [each.name for each in fields(record)]
    examples = [json.loads(text) for text in re.findall(r"`({.+?})`", PAGE.replace("\n", " "))]
    assert keys in [list(example) for example in examples]


def test_the_page_lists_every_value() -> None:
    words = PAGE.replace("\n", " ")
    for said in (*Backward, *Recording, *Probe):
        assert f"`{said.value}`" in words
    for kind in Kind:
        assert f"{kind.value} {kind.label}" in words
    for state in SavedState:
        assert f"{state.value} {state.name.lower()}" in words
    for role in SavedRole:
        assert f"{role.value} {role.label}" in words
    for reason in Reason:
        assert f"{reason.value} {_plain(reason)}" in words
    for cut in CutKind:
        assert f"| {cut.value} | {_plain(cut)} | {cut.text} |" in PAGE


def _plain(value: IntEnum) -> str:
    return value.name.lower().replace("_", " ")


def test_the_page_names_the_version() -> None:
    assert "version **{}.{}**".format(*archive.VERSION) in PAGE
    assert f"at most {archive._MOST_EXPANSION} times" in PAGE


def test_the_page_marks_the_columns_that_are_never_none() -> None:
    told = re.findall(r"^\| `(\w+\.\w+)` .*always there", PAGE, re.MULTILINE)
    assert set(told) == fit._NEVER_NONE


def test_the_example_on_the_page_runs(tmp_path: Path) -> None:
    save(make_capture(), tmp_path / "x.agi")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    out = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert out == textwrap.dedent("""\
        ['LossBackward0' 'MulBackward0' 'AccumulateGrad' 'AccumulateGrad']
        [np.str_('MulBackward0')]
    """)


# The files are as the page says


def test_the_description_comes_first_and_is_readable_as_it_is(tmp_path: Path) -> None:
    save(sample(), tmp_path / "x.agi")
    members = members_of(tmp_path / "x.agi")
    expected = ["capture.json", "tables.json", *(column.member for column in columns())]
    assert list(members) == expected
    assert members["capture.json"] in (tmp_path / "x.agi").read_bytes()
    assert json.loads(members["capture.json"])["counts"]["saved"] == 3


def test_every_field_of_the_model_is_stored() -> None:
    capture = sample()
    tables = list(map(id, tables_of(capture).values()))
    for part, owner in parts_of(capture).items():
        for each in fields(owner):
            stored = id(getattr(owner, each.name)) in tables or each.name in interned()[part]
            assert stored, f"the store does not know of {each.name}"


def test_every_column_that_points_somewhere_is_checked() -> None:
    unchecked = {
        column.name
        for column in columns()
        if np.issubdtype(column.dtype, np.integer) and fit.points_into(column) is None
    }
    assert unchecked == FIGURES, "a new column of figures belongs in FIGURES"


# A field is all it takes


@dataclass(frozen=True, slots=True, eq=False)
class NodesWithLines(NodeTable):
    line: Ints = field(metadata={"absent": -1})


@contextmanager
def newer_model() -> Iterator[None]:
    """Work as a version would whose nodes have a column more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLES, "nodes", NodesWithLines)
        columns.cache_clear()
        yield
    columns.cache_clear()


def test_a_column_newer_than_the_file_gets_its_default(tmp_path: Path) -> None:
    save(make_capture(), tmp_path / "old.agi")
    with newer_model():
        table = load(tmp_path / "old.agi").graph.node_table
    assert isinstance(table, NodesWithLines)
    assert table.line.tolist() == [-1, -1, -1, -1]
    assert table.line.dtype == np.int32


def test_a_column_that_a_reader_does_not_know_is_passed_over(tmp_path: Path) -> None:
    capture = make_capture()
    nodes = capture.graph.node_table
    known = {each.name: getattr(nodes, each.name) for each in fields(nodes)}
    lines = NodesWithLines(**known, line=np.arange(4, dtype=np.int32))
    with newer_model():
        save(replace(capture, graph=replace(capture.graph, node_table=lines)), tmp_path / "x.agi")
        assert load(tmp_path / "x.agi").graph.node_table.line.tolist() == [0, 1, 2, 3]
    assert_same(load(tmp_path / "x.agi"), capture)


# What was released


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.agi")), ids=lambda path: path.name)
def test_a_capture_of_any_released_format_loads(path: Path) -> None:
    capture = load(path)
    graph = capture.graph
    assert [node.op for node in graph.nodes] == [
        *("SumBackward0", "MulBackward0", "PowBackward0", "AccumulateGrad", "AccumulateGrad")
    ]
    assert [[edge.target and edge.target.index for edge in node.edges] for node in graph.nodes] == [
        *([1], [2, 3], [4, None], [], [])
    ]
    assert graph.node(2).attributes == {"exponent": 2}
    assert [str(spec) for spec in graph.node(3).outputs] == ["[2, 3]"]
    assert [str(spec) for spec in graph.node(4).outputs] == ["[s0, 3] float64 cuda:0"]
    assert [leaf.name for leaf in graph.leaves] == ["scale.weight", "données"]
    assert [(root.name, root.node.index) for root in graph.roots] == [("loss", 0)]
    assert read_everything(capture)
    assert [(s.name, s.bytes, s.state.name) for s in graph.node(1).saved] == [
        *(("self", 48, "HELD"), ("other", 0, "FREED"))
    ]
    rows = list(capture.gradients)
    assert [(row.name, row.reason.name, row.dtype) for row in rows] == [
        *(("scale.weight", "ARRIVED", "float32"), ("unused.bias", "NOT_REACHED", ""))
    ]
    assert rows[0].norm == 2.5
    assert rows[0].histogram[12] == 6
    assert np.isnan(rows[1].norm)
    about = capture.about
    assert (about.target, about.expression, about.rank) == ("train.py", "loss", 3)
    assert str(about.place) == "train.py:12 in step"
    assert about.backward is Backward.SCRIPT
    assert dict(about.versions) == {"agi": "0.1.0", "torch": "2.9.0", "python": "3.12.1"}


def test_what_came_with_1_1_is_absent_from_a_file_of_1_0() -> None:
    capture = load(FOLDER / "v1.0.agi")
    graph, about = capture.graph, capture.about
    for node in graph.nodes:
        assert (node.place, node.stack, node.library_place, node.call) == (None, (), None, None)
        assert node.variable == ""
    for saved in graph.node(1).saved:
        assert (saved.role, saved.origin, saved.packer) == (SavedRole.UNKNOWN, None, "")
        assert (saved.stale, saved.write) == (False, None)
    assert [leaf.aliases for leaf in graph.leaves] == [(), ()]
    assert (graph.cuts, graph.places, graph.stacks, graph.modules) == ((), (), (), ())
    assert [len(table) for table in (graph.call_table.module, graph.write_table.op)] == [0, 0]
    assert about.recording is Recording.NONE
    assert (about.parameters, about.gradients) == (-1, -1)


def test_what_came_with_1_1_is_there_in_a_file_of_1_1() -> None:
    capture = load(FOLDER / "v1.1.agi")
    graph, about = capture.graph, capture.about
    assert [str(node.place) for node in graph.nodes] == [
        *("train.py:11 in step", "model.py:7 in forward", "model.py:5 in square", "None", "None")
    ]
    assert [place.line for place in graph.node(2).stack] == [5, 6, 20, 10]
    assert str(graph.node(0).library_place) == "site-packages/lib/ops.py:88 in scale"
    assert graph.node(1).library_place is None
    call = graph.node(2).call
    assert call is not None
    assert (call.module, call.number) == (Module("model", "scale.inner", "Square"), 1)
    assert call.parent is not None
    assert (call.parent.module.path, call.parent.number, call.parent.times) == ("scale", 2, 2)
    assert call.parent.parent is not None
    assert (call.parent.parent.module.name, call.parent.parent.parent) == ("model", None)
    assert [node.variable for node in graph.nodes] == ["", "hidden", "", "", ""]
    assert graph.leaves[0].aliases == ("tied.weight", "head.weight")
    held, freed, packed = *graph.node(1).saved, *graph.node(2).saved
    assert (held.role, held.stale, held.origin) == (SavedRole.PARAMETER, True, graph.node(4))
    assert held.write is not None
    assert (held.write.op, held.write.version) == ("Tensor.add_", 1)
    assert str(held.write.place) == "train.py:11 in step"
    assert (freed.origin, freed.packer, freed.write) == (graph.node(2), "", None)
    assert (packed.role, packed.packer) == (SavedRole.INPUT, "save_on_cpu")
    detach, argmax = graph.cuts
    assert (detach.kind, detach.op, detach.times) == (CutKind.DETACH, "Tensor.detach", 2)
    assert str(detach.place) == "model.py:7 in forward"
    assert detach.module is not None
    assert (detach.module.path, str(detach.spec)) == ("scale", "[s0, 3] float64 cuda:0")
    assert (detach.raised, detach.reaches, detach.region) == (False, True, None)
    assert detach.leaves == ("scale.weight", "données")
    assert [(use.op, use.node, use.times) for use in detach.uses] == [
        *(("mul", graph.node(1), 2), ("argmax", None, 1))
    ]
    assert (argmax.kind, argmax.raised, argmax.module) == (CutKind.INTEGER, True, None)
    assert str(argmax.region) == "train.py:11 in step"
    assert argmax.leaves == ("données",)
    assert [use.place for use in argmax.uses] == [None]
    assert about.recording is Recording.FULL
    assert (about.parameters, about.gradients) == (96, 24)


def test_the_sample_of_the_current_format_is_what_its_maker_makes() -> None:
    major, minor = archive.VERSION
    assert_same(load(FOLDER / f"v{major}.{minor}.agi"), sample())
