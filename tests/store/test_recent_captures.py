from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from build import make_capture

from autograd_inspect.errors import CaptureError, UsageError
from autograd_inspect.store import captures_dir, last, load, new_path, prune, recent, save


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGI_DIR", raising=False)


def put(directory: Path, *names: str) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_text("")


def names(directory: Path) -> list[str]:
    return [path.name for path in recent(directory)]


# The folder


def test_the_folder_is_where_the_process_started(tmp_path: Path) -> None:
    assert captures_dir(tmp_path) == tmp_path / ".agi"
    assert not (tmp_path / ".agi").exists(), "asking for it makes nothing"


def test_a_relative_start_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = captures_dir(Path())
    monkeypatch.chdir("/")
    assert directory == tmp_path / ".agi"


@pytest.mark.parametrize(
    ("setting", "place"), [("/far/away", "/far/away"), ("kept", "{}/kept"), ("", "{}/.agi")]
)
def test_a_variable_names_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, place: str
) -> None:
    monkeypatch.setenv("AGI_DIR", setting)
    assert captures_dir(tmp_path) == Path(place.format(tmp_path))


def test_a_new_folder_keeps_out_of_version_control_and_backups(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / ".agi"
    new_path(directory, "train")
    assert (directory / ".gitignore").read_text() == "*\n"
    tag = (directory / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert recent(directory) == []


def test_a_folder_that_was_there_gets_no_files_of_ours(tmp_path: Path) -> None:
    new_path(tmp_path, "train")
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    put(tmp_path, "file")
    with pytest.raises(UsageError, match="is in the way: it is no directory"):
        new_path(tmp_path / "file", "train")
    with pytest.raises(UsageError, match=r"^cannot make .*: Not a directory"):
        new_path(tmp_path / "file" / ".agi", "train")


# Names


def test_a_name_is_the_utc_time_and_the_stem(tmp_path: Path) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    path = new_path(tmp_path, "train")
    match = re.fullmatch(r"(\d{8}-\d{6})-train\.agi", path.name)
    assert match
    time = datetime.strptime(match[1], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
    assert before <= time <= before + timedelta(seconds=5)
    assert path.parent == tmp_path


def test_each_new_name_sorts_before_all_older_ones(tmp_path: Path) -> None:
    made = []
    for stem in ("zeta", "alpha", "zeta", "middle", "alpha"):
        path = new_path(tmp_path, stem)
        put(tmp_path, path.name)
        made.append(path)
    assert recent(tmp_path) == made[::-1]


def test_the_ranks_of_a_run_share_a_second(tmp_path: Path) -> None:
    put(tmp_path, "29990101-000000-train-rank0.agi", "29990101-000000-train-rank12.agi")
    assert "-train-rank3.agi" in new_path(tmp_path, "train", rank=3).name
    assert not new_path(tmp_path, "train", rank=3).name.startswith("2999")
    assert new_path(tmp_path, "train", rank=0).name == "29990101-000001-train-rank0.agi"


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        ("my model", "my-model"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\nb\x1b[31m", "a-b-31m"),
        ("caf\udce9", "caf"),
        ("学習", "学習"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("", "capture"),
        ("///", "capture"),
        ("x" * 500, "x" * 40),
        ("学" * 500, "学" * 40),
    ],
)
def test_stems_are_made_harmless(tmp_path: Path, stem: str, part: str) -> None:
    path = new_path(tmp_path, stem, rank=123)
    assert path.parent == tmp_path
    assert path.name[16:] == f"{part}-rank123.agi"
    save(make_capture(), path)
    assert recent(tmp_path) == [path]


# Finding and forgetting


def test_recent_lists_the_newest_first_by_name(tmp_path: Path) -> None:
    put(tmp_path, "20250101-000000-b.agi", "20260101-000000-a.agi", "20240101-000000-c.agi")
    os.utime(tmp_path / "20240101-000000-c.agi", (2**31, 2**31))
    assert [name[16] for name in names(tmp_path)] == ["a", "b", "c"]


def test_recent_passes_over_other_files(tmp_path: Path) -> None:
    others = [
        "mine.agi",
        "20250101-000000-a.agi.bak",
        "20251399-000000-a.agi",
        "20250101-000000.agi",
        ".agi-0123456789abcdef.tmp",
        "caf\udce9.agi",
    ]
    put(tmp_path, *others, "20250101-000000-a.agi")
    assert names(tmp_path) == ["20250101-000000-a.agi"]
    prune(tmp_path, keep=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_last_counts_from_the_newest(tmp_path: Path) -> None:
    put(tmp_path, "20250101-000000-a.agi", "20250102-000000-b.agi")
    assert last(tmp_path).name == "20250102-000000-b.agi"
    assert last(tmp_path, 2).name == "20250101-000000-a.agi"
    for n in (0, -1, 3):
        with pytest.raises(CaptureError, match=f"no capture number {n} here: 1 is the last of 2"):
            last(tmp_path, n)


def test_no_capture_says_how_to_make_one(tmp_path: Path) -> None:
    put(tmp_path, "file")
    for directory in (tmp_path, tmp_path / "none", tmp_path / "file"):
        with pytest.raises(CaptureError, match=r"^no capture here yet; make one: agi trace script"):
            last(directory)


def test_the_newest_are_kept(tmp_path: Path) -> None:
    put(tmp_path, *(f"202501{day:02}-000000-a.agi" for day in range(1, 26)))
    prune(tmp_path)
    assert len(names(tmp_path)) == 20
    assert names(tmp_path)[-1] == "20250106-000000-a.agi"
    prune(tmp_path, keep=1)
    assert names(tmp_path) == ["20250125-000000-a.agi"]


def test_a_run_of_many_ranks_does_not_push_itself_out(tmp_path: Path) -> None:
    put(tmp_path, *(f"20250101-000000-a-rank{rank}.agi" for rank in range(64)))
    put(tmp_path, *(f"2024010{day}-000000-a-rank0.agi" for day in range(1, 10)))
    prune(tmp_path, keep=3)
    assert len([name for name in names(tmp_path) if name.startswith("2025")]) == 64
    assert len([name for name in names(tmp_path) if "-rank0." in name]) == 3


def test_two_processes_may_prune_at_once(tmp_path: Path) -> None:
    put(tmp_path, *(f"20250101-{i:06}-a.agi" for i in range(60)))
    code = "import sys, pathlib, autograd_inspect.store as s; s.prune(pathlib.Path(sys.argv[1]), 5)"
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(names(tmp_path)) == 5


def test_a_capture_is_found_again(tmp_path: Path) -> None:
    directory = captures_dir(tmp_path)
    save(make_capture(target="one.py"), new_path(directory, "one"))
    save(make_capture(target="two.py"), new_path(directory, "two"))
    assert load(last(directory)).about.target == "two.py"
    assert load(last(directory, 2)).about.target == "one.py"
