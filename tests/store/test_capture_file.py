from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build import graph_of, make_capture, make_gradients
from forge import assert_same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample import sample

from autograd_inspect.errors import CaptureError, UsageError
from autograd_inspect.model.capture import About, Backward, Capture, Recording
from autograd_inspect.model.curves import Chart, Curve, Curves
from autograd_inspect.model.flow import CutKind, CutLeafTable, CutTable
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place, Stack
from autograd_inspect.model.tables import CallTable, Ints, Spec
from autograd_inspect.store import archive, load, save
from autograd_inspect.store.columns import arrays_of

# What os.fsdecode makes of bytes that are no UTF-8 are lone low surrogates.
words = st.text(max_size=8) | st.sampled_from(["caf\udce9.py", "データ", "a\nb", "\x1b[31m"])
specs = st.builds(
    Spec,
    st.lists(st.integers(0, 1 << 40) | st.sampled_from(["s0", "u1"]), max_size=3).map(tuple),
    st.sampled_from(["float32", "complex64"]),
    st.sampled_from(["cpu", "cuda:0"]),
)
places = st.builds(Place, words, st.integers(0, 9999), words)
abouts = st.builds(
    About,
    target=words,
    arguments=st.lists(words, max_size=3).map(tuple),
    place=st.none() | places,
    number=st.integers(0, 9),
    backward=st.sampled_from(Backward),
    recording=st.sampled_from(Recording),
    parameters=st.integers(-1, 1 << 40),
    versions=st.lists(st.tuples(words, words), max_size=2).map(tuple),
    rank=st.none() | st.integers(0, 9),
)
figures = st.floats(allow_nan=True, allow_infinity=True)


def column(draw: st.DrawFn, count: int, below: int, *, least: int = -1) -> Ints:
    """Draw row numbers, or "none" where `least` allows it."""
    rows = st.lists(st.integers(least, below - 1), min_size=count, max_size=count)
    return np.array(draw(rows) if count else [], np.int32)


def with_origins(draw: st.DrawFn, graph: Graph) -> Graph:
    """Add lines, module calls, variables and cuts to a graph."""
    count, names = len(graph), len(graph.names)
    lines = draw(st.lists(places, min_size=1, max_size=3, unique=True))
    rows = st.integers(0, len(lines) - 1)
    stacks = draw(st.lists(st.builds(Stack, st.lists(rows, max_size=3).map(tuple), rows)))
    modules = draw(st.lists(st.builds(Module, words, words, words), min_size=1, max_size=3))
    calls = draw(st.integers(0, 4))
    cuts = draw(st.integers(0, 3)) if names else 0
    parents = [draw(st.integers(-1, row - 1)) for row in range(calls)]
    return replace(
        graph,
        places=tuple(lines),
        stacks=tuple(stacks),
        modules=tuple(modules),
        node_table=replace(
            graph.node_table,
            stack=column(draw, count, len(stacks)),
            call=column(draw, count, calls),
            variable=column(draw, count, names),
        ),
        call_table=CallTable(
            module=column(draw, calls, len(modules), least=0),
            number=np.arange(1, calls + 1, dtype=np.int32),
            parent=np.array(parents, np.int32),
        ),
        cut_table=CutTable(
            kind=column(draw, cuts, len(CutKind), least=0).astype(np.uint8),
            op=column(draw, cuts, names, least=0),
            stack=column(draw, cuts, len(stacks)),
            module=column(draw, cuts, len(modules)),
            region=column(draw, cuts, len(stacks)),
            spec=column(draw, cuts, len(graph.specs)),
            times=np.full(cuts, 1 << 40, np.int64),
            raised=column(draw, cuts, 2, least=0).astype(np.bool_),
            reaches=column(draw, cuts, 2, least=0).astype(np.bool_),
            truncates=column(draw, cuts, 2, least=0).astype(np.bool_),
        ),
        cut_leaf_table=CutLeafTable(
            cut=np.arange(cuts, dtype=np.int32), name=column(draw, cuts, names, least=0)
        ),
    )


def chart(row: int, size: int, name: str) -> Chart:
    """Make a chart of a leaf with so many elements; its row stands for its node."""
    values = np.array([math.pi, math.nan, -math.inf, 0.0, 5e-324][:size])
    results = [Curve(name * 2, row, values[::-1])] * (size % 3)
    return Chart(row, Curve(name, row, values), tuple(results), Curve("", row, values * 2))


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    count = draw(st.integers(0, 12))
    edges = [
        draw(st.lists(st.integers(i + 1, count - 1) | st.just(-1), max_size=3))
        if i + 1 < count
        else []
        for i in range(count)
    ]
    reached = {target for targets in edges for target in targets}
    graph = graph_of(
        edges,
        roots=[i for i in range(count) if i not in reached],
        names=draw(st.dictionaries(st.integers(0, 11), words, max_size=4)),
        attributes=draw(st.sampled_from(["{}", '{"dim": -1}', '{"s": "é"}'])),
    )
    graph = replace(graph, specs=tuple(draw(st.lists(specs, min_size=1, max_size=3))))
    graph = with_origins(draw, graph)
    gradients = make_gradients(draw(st.lists(words, max_size=4, unique=True)))
    rows = len(gradients)
    gradients = replace(
        gradients,
        table=replace(
            gradients.table,
            norm=np.array(draw(st.lists(figures, min_size=rows, max_size=rows)), np.float64),
        ),
    )
    leaves = range(len(graph.leaf_table.node))
    charts = [draw(st.builds(chart, st.just(row), st.integers(0, 5), words)) for row in leaves]
    return Capture(graph, gradients, draw(abouts), Curves.of(charts))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(capture=captures())
def test_what_is_saved_is_loaded(capture: Capture, tmp_path: Path) -> None:
    path = tmp_path / "x.agi"
    save(capture, path, force=True)
    assert_same(load(path), capture)


def test_a_capture_without_a_node_is_kept_too(tmp_path: Path) -> None:
    capture = Capture(graph_of([], roots=[]), make_gradients([]), About("empty.py"))
    save(capture, tmp_path / "x.agi")
    assert_same(load(tmp_path / "x.agi"), capture)


def test_figures_that_are_no_numbers_stay_as_they_are(tmp_path: Path) -> None:
    capture = make_capture()
    norm = np.array([np.nan, -np.inf])
    table = replace(capture.gradients.table, norm=norm)
    capture = replace(capture, gradients=replace(capture.gradients, table=table))
    save(capture, tmp_path / "x.agi")
    np.testing.assert_array_equal(load(tmp_path / "x.agi").gradients.table.norm, norm)


def test_arrays_in_any_memory_order_are_written(tmp_path: Path) -> None:
    capture = make_capture()
    table = capture.gradients.table
    table = replace(
        table, histogram=np.asfortranarray(table.histogram + np.arange(16)), norm=table.norm[::-1]
    )
    capture = replace(capture, gradients=replace(capture.gradients, table=table))
    save(capture, tmp_path / "x.agi")
    assert_same(load(tmp_path / "x.agi"), capture)


def test_numpy_opens_a_capture(tmp_path: Path) -> None:
    capture = sample()
    save(capture, tmp_path / "x.agi")
    with np.load(tmp_path / "x.agi", allow_pickle=False) as opened:
        for column, array in arrays_of(capture):
            np.testing.assert_array_equal(opened[column.name], array)
        assert b'"agi-capture"' in opened["capture.json"]


def test_the_same_capture_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.agi", "two.agi"):
        save(sample(), tmp_path / name)
    assert (tmp_path / "one.agi").read_bytes() == (tmp_path / "two.agi").read_bytes()


def test_a_capture_that_does_not_fit_together_is_not_written(tmp_path: Path) -> None:
    capture = make_capture()
    table = replace(capture.graph.node_table, op=np.full(len(capture.graph), 99, np.int32))
    broken = replace(capture, graph=replace(capture.graph, node_table=table))
    with pytest.raises(ValueError, match=r"nodes\.op points outside"):
        save(broken, tmp_path / "x.agi")
    assert not list(tmp_path.iterdir())


def test_importing_the_store_imports_no_heavy_library() -> None:
    code = (
        "import sys, autograd_inspect.store; print(*{'torch', 'rich', 'typer'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


# Where it is written


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "x.agi"
    save(make_capture(target="old.py"), path)
    with pytest.raises(UsageError, match=r"x\.agi exists; --force overwrites it$"):
        save(make_capture(target="new.py"), path)
    assert load(path).about.target == "old.py"
    save(make_capture(target="new.py"), path, force=True)
    assert load(path).about.target == "new.py"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_comes_while_saving_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.agi"
    pack = archive.pack

    def pack_while_another_saves(*args: object) -> None:
        pack(*args)
        path.write_text("the other's")

    monkeypatch.setattr(archive, "pack", pack_while_another_saves)
    with pytest.raises(UsageError, match="exists"):
        save(make_capture(), path)
    assert path.read_text() == "the other's"


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    save(make_capture(), tmp_path / "x.agi")
    assert_same(load(tmp_path / "x.agi"), make_capture())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/x.agi", "its directory does not exist"),
        ("file/x.agi", "Not a directory|its directory does not exist"),
        (".", "no ordinary file"),
        ("x" * 300 + ".agi", "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=f"^cannot write .*: .*({words})") as caught:
        save(make_capture(), tmp_path / name, force=True)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_working_directory_is_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no ordinary file"):
        save(make_capture(), Path(), force=True)
    save(make_capture(), Path("x.agi"))
    assert_same(load(Path("x.agi")), make_capture())


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/null")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(UsageError, match="no ordinary file"):
        save(make_capture(), Path("/dev/null"), force=True)
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.agi"
    save(make_capture(target="old.py"), path)

    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(UsageError, match=r"cannot write .*x\.agi: No space left on device$"):
        save(make_capture(), path, force=True)
    assert load(path).about.target == "old.py"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(KeyboardInterrupt):
        save(make_capture(), tmp_path / "x.agi")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["données.agi", "データ.agi", "caf\udce9.agi", "a b\n.agi"])
@pytest.mark.skipif(sys.platform != "linux", reason="such names are Linux's")
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save(make_capture(), path)
    assert_same(load(path), make_capture())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CaptureError) as caught:
        load(path)
    str(caught.value).encode("utf-8")
    assert "\n" not in str(caught.value)


# Killed, and not alone

PRELUDE = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from build import make_capture
from autograd_inspect.store import archive, save
path = Path({path!r})
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_AT = {
    "between two columns": "write = archive._write\n"
    "archive._write = lambda a, c, v: die() if c.name == 'edges.target' else write(a, c, v)",
    "before the checksum": "archive._write_seal = die",
    "before the sync": "os.fsync = die",
    "before the rename": "Path.replace = die",
}


def python(code: str, path: Path) -> subprocess.Popen[bytes]:
    prelude = PRELUDE.format(tests=str(Path(__file__).parents[1]), path=str(path))
    return subprocess.Popen([sys.executable, "-c", prelude + code])


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("moment", KILLED_AT)
@pytest.mark.parametrize("old", ["old.py", None])
def test_a_killed_process_leaves_the_old_file_or_none(
    tmp_path: Path, moment: str, old: str | None
) -> None:
    path = tmp_path / "x.agi"
    if old:
        save(make_capture(target=old), path)
    code = f"{KILLED_AT[moment]}\nsave(make_capture(target='new.py'), path, force=True)"
    assert python(code, path).wait() == -signal.SIGKILL
    assert (load(path).about.target if path.exists() else None) == old


def test_two_processes_saving_one_name_never_show_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.agi"
    save(make_capture(target="first"), path)
    writers = [
        python(f"for _ in range(60): save(make_capture(target={who!r}), path, force=True)", path)
        for who in ("one", "two")
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(load(path).about.target)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"first", "one", "two"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_member_too_large_for_32_bits_is_declared_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_LARGE", 0)
    save(sample(), tmp_path / "x.agi")
    assert_same(load(tmp_path / "x.agi"), sample())
    assert zipfile.ZipFile(tmp_path / "x.agi").testzip() is None
