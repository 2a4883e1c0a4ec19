from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest
import sample
from build import make_capture
from forge import assert_same, members_of, rich_capture

from autograd_inspect.model.capture import About, Backward
from autograd_inspect.model.gradients import Reason
from autograd_inspect.model.tables import Ints, Kind, NodeTable
from autograd_inspect.store import archive, fit, load, save
from autograd_inspect.store.columns import TABLES, columns, interned, tables_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "capture-format.md").read_text(encoding="utf-8")

#: Integers that are figures, not row numbers: nothing to check but their type.
FIGURES = {
    *("edges.start", "outputs.start", "nodes.sequence", "nodes.hooks", "saved.bytes"),
    *("saved.storage", "grads.zeros", "grads.nan", "grads.inf", "grads.count", "grads.histogram"),
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
    told = re.findall(r"^\| `((?:graph|grads)\.\w+)` \| [^|]+ \| `", PAGE, re.MULTILINE)
    assert told == [f"{part}.{name}" for part, names in interned().items() for name in names]


def test_the_page_lists_every_value() -> None:
    for kind in Kind:
        assert f"{kind.value} {kind.label}" in PAGE
    words = PAGE.replace("\n", " ")
    for reason in Reason:
        assert f"{reason.value} {reason.name.lower().replace('_', ' ')}" in words
    for backward in Backward:
        assert f"`{backward.value}`" in PAGE


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
    save(rich_capture(), tmp_path / "x.agi")
    members = members_of(tmp_path / "x.agi")
    expected = ["capture.json", "tables.json", *(column.member for column in columns())]
    assert list(members) == expected
    assert members["capture.json"] in (tmp_path / "x.agi").read_bytes()
    assert json.loads(members["capture.json"])["counts"]["saved"] == 2


def test_every_field_of_the_model_is_stored() -> None:
    capture = rich_capture()
    tables = list(map(id, tables_of(capture).values()))
    for part, owner in (("graph", capture.graph), ("grads", capture.gradients)):
        for each in fields(owner):
            stored = id(getattr(owner, each.name)) in tables or each.name in interned()[part]
            assert stored, f"the store does not know of {each.name}"


def test_every_column_that_points_somewhere_is_checked() -> None:
    capture = rich_capture()
    unchecked = {
        column.name
        for column in columns()
        if np.issubdtype(column.dtype, np.integer) and fit.limit(capture, column) is None
    }
    assert unchecked == FIGURES, "a new column of figures belongs in FIGURES"


# A field is all it takes


def _no_line() -> Ints:
    return np.array([-1], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class NodesWithLines(NodeTable):
    line: Ints = field(default_factory=_no_line)


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


@pytest.mark.parametrize("path", sorted(sample.FOLDER.glob("*.agi")), ids=lambda path: path.name)
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
