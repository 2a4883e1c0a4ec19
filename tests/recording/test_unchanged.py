"""A program does what it does without us: figures, random numbers, output, bit for bit.

Each program of `programs/unchanged` runs under python, under the light watch and under the close
one; what it prints of itself is all that is compared.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest
from process import Done, run, run_agi

from autograd_inspect.model.capture import Recording
from autograd_inspect.store import load

HERE = Path(__file__).parent
Once = Callable[[str, Callable[[Path], object]], Path]

LEVELS = {"light": (), "full": ("--watch",)}
STATUS = {"training": 0, "raising": 1, "overwriting": 1, "detecting": 1, "compiling": 0}

each_program = pytest.mark.parametrize("name", ["training", "raising", "overwriting", "detecting"])
each_level = pytest.mark.parametrize("level", LEVELS)


class Programs:
    """Runs each program once in each way."""

    def __init__(self, once: Once) -> None:
        self._once = once
        source = HERE / "programs" / "unchanged"
        self.where = once("unchanged", lambda path: shutil.copytree(source, path))

    def plain(self, name: str) -> Done:
        """Run a program under python."""
        done = self._done(name, lambda: run(sys.executable, f"{name}.py", cwd=self.where))
        assert done.status == STATUS[name], done.err
        return done

    def watched(self, name: str, level: str) -> Done:
        """Run a program under watch."""
        out = f"{name}-{level}.agi"
        words = ("trace", "-q", "--keep-running", *LEVELS[level], "-o", out, f"{name}.py")
        done = self._done(f"{name}-{level}", lambda: run_agi(*words, cwd=self.where))
        assert load(self.where / out).about.recording is Recording(level)
        return done

    def _done(self, name: str, start: Callable[[], Done]) -> Done:
        def write(path: Path) -> None:
            path.write_text(json.dumps(astuple(start())))

        return Done(*json.loads(self._once(f"unchanged/{name}.json", write).read_text()))


@pytest.fixture
def programs(once: Once) -> Programs:
    return Programs(once)


@each_program
@each_level
def test_it_prints_the_same(programs: Programs, name: str, level: str) -> None:
    expected, found = programs.plain(name), programs.watched(name, level)
    printed = str.splitlines if level == "light" else without_line_numbers
    assert printed(found.out) == printed(expected.out)
    assert found.status == expected.status


@each_program
@each_level
def test_it_warns_and_fails_the_same(programs: Programs, name: str, level: str) -> None:
    """Under the close watch a warning of torch's names our file as its place: that is inherent."""
    expected, found = programs.plain(name), programs.watched(name, level)
    said = str.splitlines if level == "light" else without_places
    assert said(found.err) == said(expected.err)


def without_line_numbers(text: str) -> list[str]:
    """Leave out the lines of warnings that a program lists: pairs of message and number."""
    return re.sub(r"(?<=['\"]), \d+\)", ")", text).splitlines()


def without_places(text: str) -> list[str]:
    """Leave out where warnings come from, and the line of source that python prints with it."""
    text = re.sub(r"^\S+:\d+: (\w+Warning: .*)$", r"\1", text, flags=re.MULTILINE)
    return [line for line in text.splitlines() if not line.startswith("  ")]


def test_the_programs_do_what_they_are_here_for(programs: Programs) -> None:
    training = programs.plain("training")
    for word in ("gradients", "evaluated", "modified by an inplace operation", "random state"):
        assert word in training.out
    for word in ("Error detected in SqrtBackward0", "of the program's own", "target size", ".grad"):
        assert word in training.err
    assert "Error detected" not in programs.plain("overwriting").err
    assert "modified by an inplace operation" in programs.plain("overwriting").err
    assert "Error detected in ExpBackward0" in programs.plain("detecting").err
    assert "in forward" in programs.plain("raising").err


def test_compiled_code_is_compiled_the_same_under_the_light_watch(programs: Programs) -> None:
    expected, found = programs.plain("compiling"), programs.watched("compiling", "light")
    assert "CompiledFunctionBackward" in expected.out
    assert "graph_break" in expected.out
    assert found.out.splitlines() == expected.out.splitlines()
    assert found.err == expected.err


def test_compiled_code_gives_the_same_figures_under_the_close_watch(programs: Programs) -> None:
    """It may be compiled in other pieces."""

    def figures(done: Done) -> list[str]:
        lines = [line.partition(" [")[0] for line in done.out.splitlines()]
        return [line for line in lines if "0x" in line]

    expected, found = programs.plain("compiling"), programs.watched("compiling", "full")
    assert len(figures(expected)) == 12
    assert figures(found) == figures(expected)
    assert (found.status, found.err) == (expected.status, expected.err)
