from __future__ import annotations

import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from build import make_capture
from forge import (
    assert_same,
    edit_column,
    edit_json,
    members_of,
    npy,
    read_everything,
    reseal,
    write_members,
)
from sample import sample, with_curves

from autograd_inspect.errors import CaptureError
from autograd_inspect.store import load, save
from autograd_inspect.store.columns import Column, arrays_of, columns, tables_of

RETRACE = "trace it again: agi trace train.py:loss --lr 0.1"


def is_needed(column: Column) -> bool:
    """Tell columns that no file may lack which has rows of their group."""
    return "absent" not in column.field.metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(with_curves(sample()), tmp_path / "x.agi")
    return tmp_path / "x.agi"


def refused(path: Path) -> str:
    """Give the one line that refuses a file."""
    with pytest.raises(CaptureError) as caught:
        load(path)
    assert caught.value.message.isprintable(), "more than one line, or control characters"
    return caught.value.message


# By accident


@pytest.mark.parametrize("fiftieth", range(1, 50))
def test_a_file_cut_anywhere_is_refused(path: Path, fiftieth: int) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * fiftieth // 50])
    line = refused(path)
    assert "x.agi is damaged (its end is missing); trace it again: agi trace " in line
    assert RETRACE in line or fiftieth < 10, "capture.json is whole, so it tells what to trace"


@pytest.mark.parametrize("lost", [1, 26, 1024])
def test_a_lost_tail_is_refused(path: Path, lost: int) -> None:
    path.write_bytes(path.read_bytes()[:-lost])
    assert f"damaged (its end is missing); {RETRACE}" in refused(path)


@pytest.mark.parametrize("kept", [1, 3, 4, 20, 35])
def test_a_beginning_too_short_to_tell_is_refused(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    refused(path)


def test_bytes_added_at_the_end_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    assert "damaged" in refused(path)


def test_every_flipped_bit_is_found(path: Path) -> None:
    data = path.read_bytes()
    chosen = random.Random(1).sample(range(len(data) * 8), 300)
    ends = [*range(64 * 8), *range((len(data) - 64) * 8, len(data) * 8)]
    for bit in chosen + ends:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert "damaged" in refused(path), bit


def test_a_flipped_bit_in_a_larger_file_is_found(path: Path) -> None:
    save(make_capture(" ".join(f"n{i}>n{i + 1}" for i in range(3000))), path, force=True)
    data = path.read_bytes()
    for bit in random.Random(2).sample(range(len(data) * 8), 300):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert "damaged" in refused(path), bit


def test_a_damaged_description_no_longer_tells_what_to_trace(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"train.py", b"trbin.py"))
    assert "(checksum mismatch); trace it again: agi trace script.py:loss" in refused(path)


@pytest.mark.parametrize(
    ("about", "command"),
    [
        ({"target": "a.py:x.y", "expression": "x.y"}, "agi trace a.py:x.y"),
        ({"target": "a.py", "expression": ""}, "agi trace a.py"),
        ({"target": "a.py", "arguments": ("b c",)}, "agi trace a.py:loss 'b c'"),
        ({"target": "\x1b[2J"}, "agi trace script.py:loss"),
    ],
)
def test_the_line_says_what_to_trace_again(
    path: Path, about: dict[str, object], command: str
) -> None:
    save(make_capture(**about), path, force=True)
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(path).endswith(f"trace it again: {command}")


# Other files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "x.agi is empty"),
        (b"import torch\n", "x.agi is not a capture"),
        (random.Random(3).randbytes(5000), "x.agi is not a capture"),
        (pickle.dumps({"a": 1}), "x.agi is not a capture"),
    ],
)
def test_another_file_is_refused(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    assert refused(path).endswith(words)


@pytest.mark.parametrize("name", ["archive/data.pkl", "capture.json"])
def test_another_zip_is_refused(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, '{"format": "holiday pictures"}')
    assert refused(path).endswith("x.agi is a zip archive, but not a capture")


def test_an_npz_of_something_else_is_refused(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, weights=np.ones(3))
    assert refused(path).endswith("x.agi is a zip archive, but not a capture")


def test_a_capture_packed_again_by_another_tool_is_refused(path: Path) -> None:
    members = members_of(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert "damaged (its end is missing)" in refused(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "is a directory, not a capture" in refused(tmp_path)
    assert refused(tmp_path / "x.agi").startswith("there is no capture")
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file" / "x.agi").endswith("Not a directory")
    assert "File name too long" in refused(tmp_path / ("x" * 300))


# Other versions


def test_a_newer_major_version_says_how_to_upgrade(path: Path) -> None:
    edit_json(path, "capture.json", lambda found: found.update(version=[2, 0], about="all new"))
    path.write_bytes(path.read_bytes()[:-26] + b"sealed in another way")
    assert refused(path).endswith(
        "x.agi was written by a newer agi (format 2.0); this one reads 1.x. "
        "Upgrade: pip install -U autograd-inspect"
    )


def test_a_newer_minor_version_loads_without_what_it_added(path: Path) -> None:
    members = members_of(path)
    found = json.loads(members["capture.json"])
    found |= {"version": [1, 7], "mood": "good"}
    found["about"] |= {"host": "h", "place": found["about"]["place"] | {"column": 4}}
    found["counts"]["colours"] = 3
    strings = json.loads(members["tables.json"])
    strings["graph"]["moods"] = ["good"]
    strings["viewer"] = {}
    write_members(
        path,
        members
        | {"capture.json": json.dumps(found).encode(), "tables.json": json.dumps(strings).encode()}
        | {"nodes.colour.npy": npy(np.zeros(4)), "pictures/small.png": b"png"},
    )
    assert_same(load(path), with_curves(sample()))


def test_a_newer_minor_version_that_is_damaged_says_so(path: Path) -> None:
    edit_json(path, "capture.json", lambda found: found.update(version=[1, 7]))
    path.write_bytes(path.read_bytes()[:-1])
    assert "damaged (its end is missing)" in refused(path)


def test_fields_that_have_a_default_may_be_missing(path: Path) -> None:
    edit_json(path, "capture.json", lambda found: found["about"].pop("notes"))
    assert load(path).about.notes == ()
    edit_json(path, "capture.json", lambda found: found["about"].pop("target"))
    assert "damaged (About has no target)" in refused(path)


# On purpose, or by a writer that does not do as the format says


@pytest.mark.parametrize("name", [column.name for column in columns() if is_needed(column)])
def test_a_missing_column_is_named(path: Path, name: str) -> None:
    members = members_of(path)
    del members[f"{name}.npy"]
    write_members(path, members)
    assert f"damaged ({name}.npy is missing)" in refused(path)


_ZERO_IF_MISSING = {"saved.role", "saved.stale", "cuts.truncates", "grads.holding"}


def test_columns_that_came_later_may_be_missing(path: Path) -> None:
    members = members_of(path)
    later = [column for column in columns() if not is_needed(column)]
    for column in later:
        del members[column.member]
    write_members(path, members)
    tables = tables_of(load(path))
    for column in later:
        none = 0 if column.name in _ZERO_IF_MISSING else -1
        figures = getattr(tables[column.group], column.field.name)
        assert figures.tolist() == [none] * len(figures), column.name


def test_groups_that_came_later_may_be_missing(path: Path) -> None:
    later = {"calls", "writes", "cuts", "cut_leaves", "cut_uses", "curves", "points"}
    later |= {"passed", "times", "outside"}
    members = members_of(path)
    gone = {name for name in members if name.partition(".")[0] in later}
    pointing = {"nodes.call.npy", "saved.write.npy", "edges.passed.npy", "outputs.arrived.npy"}
    assert len(gone) == len([column for column in columns() if column.group in later])
    kept = {name: data for name, data in members.items() if name not in gone | pointing}
    found = json.loads(kept["capture.json"])
    for group in later:
        del found["counts"][group]
    strings = json.loads(kept["tables.json"])
    del strings["curves"]
    changed = {"capture.json": found, "tables.json": strings}
    write_members(path, kept | {name: json.dumps(it).encode() for name, it in changed.items()})
    assert load(path).graph.cuts == ()
    assert load(path).curves.charts == ()
    assert read_everything(load(path))


@pytest.mark.parametrize("member", ["capture.json", "tables.json"])
@pytest.mark.parametrize(
    "content", [None, b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b"9" * 9999]
)
def test_a_description_that_is_none_is_refused(
    path: Path, member: str, content: bytes | None
) -> None:
    members = members_of(path)
    members.pop(member) if content is None else members.update({member: content})
    write_members(path, members)
    refused(path)


@pytest.mark.parametrize(
    "group",
    [
        *("nodes", "edges", "outputs", "saved", "leaves", "roots", "calls", "writes", "cuts"),
        *("cut_leaves", "cut_uses", "grads", "curves", "points"),
    ],
)
@pytest.mark.parametrize("count", [-1, 0, 7, 10**12, 10**40, 3.0, True, "3", None])
def test_a_wrong_count_is_refused(path: Path, group: str, count: object) -> None:
    edit_json(path, "capture.json", lambda found: found["counts"].update({group: count}))
    assert "damaged" in refused(path)


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("edges.start", [0, 3, 2, 6, 6, 6]),
        ("edges.start", [1, 2, 3, 4, 5, 5]),
        ("edges.start", [0, 0, 0, 0, 0, 1]),
        ("edges.start", [0, -5, 0, 0, 0, 5]),
        ("outputs.start", [0, 5, 5, 5, 5, 6]),
    ],
)
def test_start_columns_must_rise_to_the_count(path: Path, name: str, figures: list[int]) -> None:
    edit_column(path, name, lambda start: np.array(figures, start.dtype))
    assert f"damaged ({name} does not rise from 0 to 5)" in refused(path)


@pytest.mark.parametrize("row", [-2, 1000, 2**31 - 1])
@pytest.mark.parametrize(
    "name",
    [
        *("nodes.op", "nodes.attributes", "nodes.depth", "edges.target", "outputs.spec"),
        *("saved.node", "saved.name", "saved.spec", "saved.leaf", "leaves.node", "leaves.name"),
        *("roots.node", "roots.name", "grads.name", "grads.node", "grads.spec", "grads.dtype"),
        *("nodes.stack", "nodes.call", "nodes.variable", "saved.origin", "saved.packer"),
        *("saved.write", "leaves.aliases", "calls.module", "calls.parent", "writes.op"),
        *("writes.stack", "writes.module", "cuts.op", "cuts.stack", "cuts.module", "cuts.region"),
        *("cuts.spec", "cut_leaves.cut", "cut_leaves.name", "cut_uses.cut", "cut_uses.op"),
        *("cut_uses.stack", "cut_uses.node", "curves.leaf", "curves.node", "curves.name"),
        "points.curve",
    ],
)
def test_a_row_outside_its_table_is_refused(path: Path, name: str, row: int) -> None:
    edit_column(path, name, lambda rows: np.append(rows[:-1], np.int32(row)))
    assert f"damaged ({name} points outside its table)" in refused(path)


@pytest.mark.parametrize(
    "name",
    [
        *("nodes.op", "nodes.attributes", "nodes.depth", "saved.node", "leaves.node"),
        *("roots.node", "grads.name", "edges.output", "roots.output", "calls.module"),
        *("writes.op", "cuts.op", "cut_leaves.cut", "cut_leaves.name", "cut_uses.cut"),
        *("cut_uses.op", "curves.leaf", "curves.node", "curves.name", "points.curve"),
    ],
)
def test_none_is_refused_where_something_must_be(path: Path, name: str) -> None:
    edit_column(path, name, lambda rows: np.full_like(rows, -1))
    assert f"damaged ({name} points outside its table)" in refused(path)


def test_edges_in_a_circle_are_refused(path: Path) -> None:
    edit_column(path, "edges.target", np.zeros_like)
    assert "edges.target leads back towards the root" in refused(path)


@pytest.mark.parametrize("parents", [[0, 0, 0, 2], [-1, 1, 0, 2], [-1, 0, 3, 2]])
def test_calls_in_a_circle_are_refused(path: Path, parents: list[int]) -> None:
    edit_column(path, "calls.parent", lambda parent: np.array(parents, parent.dtype))
    assert "damaged (calls.parent leads in circles)" in refused(path)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        *(("saved.node", [2, 1, 2]), ("cut_leaves.cut", [0, 1, 0]), ("cut_uses.cut", [1, 0, 1])),
        ("points.curve", [4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0]),
    ],
)
def test_rows_out_of_order_are_refused(path: Path, name: str, rows: list[int]) -> None:
    edit_column(path, name, lambda before: np.array(rows, before.dtype))
    assert f"damaged ({name} is not sorted)" in refused(path)


@pytest.mark.parametrize(
    "name",
    [
        "nodes.kind",
        "saved.state",
        "saved.role",
        "cuts.kind",
        "grads.reason",
        "grads.holding",
        "curves.kind",
    ],
)
def test_a_value_that_does_not_exist_is_refused(path: Path, name: str) -> None:
    edit_column(path, name, lambda values: np.full_like(values, 99))
    assert f"damaged ({name} points outside its table)" in refused(path)
    edit_json(path, "capture.json", lambda found: found.update(version=[1, 7]))
    assert "written by a newer agi (format 1.7)" in refused(path)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("curves.kind", [0, 1, 2, 2, 2]),  # a leaf without values
        ("curves.kind", [0, 0, 2, 0, 2]),  # or with two sets of them
        ("curves.leaf", [0, 0, 0, 0, 0]),
        ("points.curve", [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]),  # a value too few
    ],
)
def test_curves_that_do_not_fit_their_leaf_are_refused(
    path: Path, name: str, rows: list[int]
) -> None:
    edit_column(path, name, lambda before: np.array(rows, before.dtype))
    assert "do not fit together" in refused(path)


@pytest.mark.parametrize("key", ["backward", "recording"])
@pytest.mark.parametrize("value", ["by magic", 1, None, ["full"]])
def test_a_word_that_does_not_exist_is_refused(path: Path, key: str, value: object) -> None:
    edit_json(path, "capture.json", lambda found: found["about"].update({key: value}))
    assert "damaged" in refused(path)
    edit_json(path, "capture.json", lambda found: found.update(version=[1, 7]))
    assert "written by a newer agi (format 1.7)" in refused(path)


@pytest.mark.parametrize(
    "stack",
    [
        *({"lines": [0, 99]}, {"lines": [-1]}, {"lines": [10**40]}),
        *({"lines": [0], "library": 99}, {"lines": [0], "library": -2}),
    ],
)
def test_a_stack_outside_the_places_is_refused(path: Path, stack: dict[str, object]) -> None:
    edit_json(path, "tables.json", lambda found: found["graph"]["stacks"].append(stack))
    assert "damaged (graph.stacks points outside graph.places)" in refused(path)


@pytest.mark.parametrize("stack", [None, [], {}, {"lines": 0}, {"lines": ["0"]}, {"lines": [0.0]}])
def test_a_stack_that_is_none_is_refused(path: Path, stack: object) -> None:
    edit_json(path, "tables.json", lambda found: found["graph"]["stacks"].append(stack))
    assert "damaged" in refused(path)


@pytest.mark.parametrize("table", ["places", "stacks", "modules", "names", "specs"])
def test_a_table_that_is_too_short_is_refused(path: Path, table: str) -> None:
    edit_json(path, "tables.json", lambda found: found["graph"].update({table: []}))
    assert "points outside" in refused(path)


@pytest.mark.parametrize("text", ["", "[]", "{", "{}{}", "[" * 100_000])
def test_attributes_that_cannot_be_read_are_refused(path: Path, text: str) -> None:
    edit_json(path, "tables.json", lambda found: found["graph"].update(attributes=[text]))
    refused(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype(np.int64),
        lambda array: array.astype(">i4"),
        lambda array: array.astype(np.float32),
        lambda array: array.astype("S4"),
        lambda array: array[:-1],
        lambda array: array[:, None],
        lambda array: np.append(array, array),
        lambda array: array[0],
    ],
)
def test_a_column_of_another_type_or_shape_is_refused(
    path: Path, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    edit_column(path, "nodes.op", change)
    assert "damaged (nodes.op.npy" in refused(path)


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_is_never_opened(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "executed"
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb(victim)], dtype=object), allow_pickle=True)
    np.load(io.BytesIO(buffer.getvalue()), allow_pickle=True)
    assert victim.exists(), "the bomb must be live for the test to mean anything"
    victim.unlink()
    members = members_of(path)
    write_members(path, members | {"nodes.op.npy": buffer.getvalue()})
    assert "damaged" in refused(path)
    members["nodes.op.npy"] = pickle.dumps(Bomb(victim))
    write_members(path, members)
    assert "damaged" in refused(path)
    assert not victim.exists()


def test_a_member_that_expands_beyond_its_rows_is_refused(path: Path) -> None:
    edit_column(path, "nodes.op", lambda array: np.append(array, np.zeros(10_000_000, np.int32)))
    assert "damaged (expands beyond reason)" in refused(path)


def test_a_file_that_is_all_zeros_inside_is_refused(path: Path) -> None:
    edit_json(path, "tables.json", lambda found: found.update(padding=" " * 50_000_000))
    assert "damaged (expands beyond reason)" in refused(path)


def test_other_compression_is_refused(path: Path) -> None:
    write_members(path, members_of(path), compression=zipfile.ZIP_LZMA)
    assert "damaged (compressed in another way)" in refused(path)


def test_a_member_that_lies_about_its_size_is_refused(path: Path) -> None:
    members = members_of(path)
    members["nodes.op.npy"] += bytes(1_000_000)
    write_members(path, members)
    data = bytearray(path.read_bytes())
    true_size = len(members["nodes.op.npy"]).to_bytes(4, "little")
    assert data.count(true_size) == 2, "once at the member and once in the directory"
    path.write_bytes(reseal(data.replace(true_size, (148).to_bytes(4, "little"))))
    assert "damaged" in refused(path)


def loads_to_something_readable(path: Path) -> bool:
    """Whether a changed file is accepted; if so, everything in it must be readable."""
    try:
        capture = load(path)
    except CaptureError:
        return False
    return read_everything(capture) > 0


def test_no_sealed_change_of_bytes_leads_to_another_error(path: Path) -> None:
    data = path.read_bytes()
    dice = random.Random(4)
    for _ in range(200):
        changed = bytearray(data)
        for _ in range(dice.choice([1, 1, 2, 8])):
            changed[dice.randrange(len(data) - 26)] = dice.randrange(256)
        path.write_bytes(reseal(changed))
        loads_to_something_readable(path)


def test_no_change_of_figures_leads_to_another_error(path: Path) -> None:
    members = members_of(path)
    arrays = {column: array for column, array in arrays_of(sample()) if array.size}
    dice = random.Random(5)
    outcomes = set()
    for _ in range(200):
        column, array = dice.choice(list(arrays.items()))
        changed = array.copy()
        value = dice.choice([-1, 0, 1, 2, 3, 4, 5, 6, 255, 2**31 - 1, -(2**31)])
        changed.flat[dice.randrange(array.size)] = np.array(value).astype(array.dtype)
        write_members(path, members | {column.member: npy(changed)})
        outcomes.add(loads_to_something_readable(path))
    assert outcomes == {True, False}


def test_no_change_of_strings_leads_to_another_error(path: Path) -> None:
    members = members_of(path)
    dice = random.Random(6)
    junk = [None, True, -1, 1.5, "", "x", [], ["x"], {}, {"x": 1}, [[]], [None]]
    for member in ("capture.json", "tables.json"):
        for _ in range(120):
            found = json.loads(members[member])
            inside, key = found, dice.choice(list(found))
            while inside[key] and isinstance(inside[key], dict | list) and dice.random() < 0.7:
                inside = inside[key]
                key = dice.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
            inside[key] = dice.choice(junk)
            write_members(path, members | {member: json.dumps(found).encode()})
            loads_to_something_readable(path)
