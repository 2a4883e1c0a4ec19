"""Graphviz as an engine: what it draws, and that it is stopped."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from build import make_graph

from autograd_inspect.errors import RenderError
from autograd_inspect.passes.drawing import draw
from autograd_inspect.renderers import dot, graphviz_engine

posix = pytest.mark.skipif(sys.platform == "win32", reason="the stub is a shell script")


def stub(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `dot` on PATH that runs this shell script."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz here")
@pytest.mark.parametrize(
    ("kind", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_graphviz_draws(kind: str, magic: bytes) -> None:
    text = dot.render(draw(make_graph("loss>mul mul>a mul>b")))
    assert graphviz_engine.render(text, format=kind).startswith(magic)


@posix
def test_one_that_takes_too_long_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child\nwait", monkeypatch)
    started = time.monotonic()
    with pytest.raises(RenderError, match=r"stopped after 0\.5 s"):
        graphviz_engine.render("digraph {}", time_limit=0.5)
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    assert gone(child)


def gone(process: int) -> bool:
    """Wait until nobody has this process; a zombie is nobody."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{process}/stat")
        if status.exists() and ") Z" in status.read_text():
            return True
        time.sleep(0.05)
    return False


@posix
def test_its_complaint_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, "cat > /dev/null; echo 'no room for labels' >&2; exit 3", monkeypatch)
    with pytest.raises(RenderError, match="status 3: no room for labels"):
        graphviz_engine.render("digraph {}")


@posix
def test_silence_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, "cat > /dev/null", monkeypatch)
    with pytest.raises(RenderError, match="it wrote nothing"):
        graphviz_engine.render("digraph {}")


def test_a_missing_dot_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError) as caught:
        graphviz_engine.render("digraph {}")
    assert "apt install graphviz" in caught.value.hint
