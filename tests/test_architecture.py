"""The house rules: who may import whom, what is public, how large a file may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd_inspect

PACKAGE = Path(autograd_inspect.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: What each room may import of ours, and of other people's.
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "model": ({"errors"}, {"numpy"}),
    "run": ({"model", "errors"}, set()),
    "autograd": ({"model", "errors"}, {"numpy", "torch"}),
    "recording": ({"run", "autograd", "model", "errors"}, {"numpy", "torch"}),
    "tracing": ({"run", "autograd", "recording", "model", "errors", "_version"}, {"torch"}),
    "training": ({"run", "autograd", "tracing", "model", "errors"}, {"torch"}),
    "checking": (
        {"run", "autograd", "recording", "tracing", "training", "model", "errors"},
        {"torch"},
    ),
    "checks": ({"analyses", "model", "errors"}, {"numpy"}),
    "store": ({"model", "errors"}, {"numpy"}),
    "passes": ({"model", "errors"}, {"numpy"}),
    "layout": ({"model", "errors"}, {"numpy"}),
    "analyses": ({"model", "errors"}, {"numpy"}),
    "tui": (
        {"model", "passes", "analyses", "renderers", "errors"},
        {"numpy", "rich", "textual"},
    ),
    "renderers": (
        {"model", "layout", "errors"},
        {"numpy", "rich", "resvg_py", "graphviz", "matplotlib", "safetensors"},
    ),
}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written out in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_room_imports_only_what_lies_before_it(path: Path) -> None:
    room = room_of(path)
    if room not in ALLOWED:
        return
    ours, theirs = ALLOWED[room]
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "autograd_inspect":
            assert rest[0] in {room, *ours}, f"{room} may not import {name}"
        else:
            assert top in sys.stdlib_module_names | theirs, f"{room} may not import {name}"


def test_renderers_do_not_import_each_other() -> None:
    for path in (PACKAGE / "renderers").glob("*.py"):
        for name in imports_of(path):
            if name.startswith("autograd_inspect.renderers"):
                assert name.split(".")[2] in {
                    *("text", "sheet", "plotting", "births", "fitting", "gutter", "items", "viewer")
                }, f"{path.name} imports {name}"


def test_nobody_imports_the_command_line() -> None:
    for path in MODULES:
        if room_of(path) not in {"cli", "__main__"}:
            assert not any(name.startswith("autograd_inspect.cli") for name in imports_of(path)), (
                path
            )


def test_no_module_outgrows_its_room() -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {str(path): size for path, size in sizes.items() if size > 400} == {}


def test_everything_public_is_there_and_sorted() -> None:
    names = autograd_inspect.__all__
    assert names == sorted(names)
    assert all(getattr(autograd_inspect, name) is not None for name in names)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = autograd_inspect.nothing_like_it


@pytest.mark.parametrize(
    "statement",
    [
        "import autograd_inspect",
        "import autograd_inspect.cli.app",
        "import autograd_inspect.store",
        "import autograd_inspect.tracing.session",
        "import autograd_inspect.training.session",
        "import autograd_inspect.checking.session",
        "from autograd_inspect import Capture, load, show, render, grads",
        "import autograd_inspect.passes.drawing, autograd_inspect.renderers.svg",
    ],
)
def test_torch_is_not_imported_before_the_program_does(statement: str) -> None:
    program = f"{statement}; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("library", ["numpy", "rich", "graphviz", "resvg_py"])
def test_the_road_to_the_program_is_kept_bare(library: str) -> None:
    program = (
        "import autograd_inspect.cli.app, autograd_inspect.tracing.session, "
        "autograd_inspect.training.session, autograd_inspect.cli.train, "
        "autograd_inspect.cli.trace, autograd_inspect.cli.check, "
        "autograd_inspect.checking.session, autograd_inspect.checks.choice, "
        f"sys; assert {library!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
