from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import threading
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograd_inspect.run.imports import when_imported

if TYPE_CHECKING:
    from types import ModuleType

NAME = "agi_test_library"


class Recorder:
    """A callback that remembers what it was given, and in which state."""

    def __init__(self) -> None:
        self.modules: list[ModuleType] = []
        self.ready: list[bool] = []

    def __call__(self, module: ModuleType) -> None:
        self.modules.append(module)
        self.ready.append(hasattr(module, "last"))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that imports a part of itself, and whose last line sets `last`."""
    package = tmp_path / NAME
    package.mkdir()
    (package / "part.py").write_text("")
    file = package / "__init__.py"
    file.write_text(f"import {NAME}.part\nlast = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", sys.modules)
    yield file
    for name in (NAME, f"{NAME}.part"):
        sys.modules.pop(name, None)


def test_is_called_when_the_module_has_run_to_its_end(library: Path) -> None:
    recorder = Recorder()
    when_imported(NAME, recorder)
    assert recorder.modules == []
    module = importlib.import_module(NAME)
    assert recorder.modules == [module]
    assert recorder.ready == [True]


def test_leaves_no_trace(library: Path) -> None:
    finders = list(sys.meta_path)
    when_imported(NAME, Recorder())
    module = importlib.import_module(NAME)
    assert sys.meta_path == finders
    assert type(module.__spec__) is ModuleSpec
    assert type(module.__loader__) is SourceFileLoader
    assert module.__spec__.loader is module.__loader__
    plain = importlib.util.spec_from_file_location(NAME, library)
    assert plain is not None
    assert vars(module.__spec__).keys() == vars(plain).keys() | {"_initializing"}


def test_the_module_sees_its_own_loader_while_it_runs(library: Path) -> None:
    library.write_text(
        "seen = type(__spec__.loader), type(__loader__), __spec__.loader is __loader__"
    )
    when_imported(NAME, Recorder())
    module = importlib.import_module(NAME)
    assert module.seen == (SourceFileLoader, SourceFileLoader, True)


def test_is_called_once_however_it_is_imported(library: Path) -> None:
    recorder = Recorder()
    when_imported(NAME, recorder)
    thread = threading.Thread(target=__import__, args=(f"{NAME}.part",))
    thread.start()
    thread.join()
    importlib.import_module(NAME)
    importlib.reload(sys.modules[NAME])
    assert recorder.ready == [True]


def test_is_called_at_once_when_already_imported(library: Path) -> None:
    module = importlib.import_module(NAME)
    recorder = Recorder()
    when_imported(NAME, recorder)
    assert recorder.modules == [module]


def test_waits_for_a_module_that_is_being_imported(library: Path) -> None:
    recorder = Recorder()
    sys.agi_test_recorder = recorder  # type: ignore[attr-defined]
    library.write_text(
        "import sys\n"
        "from autograd_inspect.run.imports import when_imported\n"
        "when_imported(__name__, sys.agi_test_recorder)\n"
        "called_early = bool(sys.agi_test_recorder.modules)\n"
        "last = True\n"
    )
    try:
        module = importlib.import_module(NAME)
    finally:
        del sys.agi_test_recorder  # type: ignore[attr-defined]
    assert not module.called_early
    assert recorder.ready == [True]
    assert type(module.__spec__) is ModuleSpec


def test_a_failed_import_is_the_modules_own_and_may_be_tried_again(library: Path) -> None:
    recorder = Recorder()
    good = library.read_text()
    library.write_text("import agi_surely_not_installed")
    when_imported(NAME, recorder)
    with pytest.raises(ImportError) as caught:
        importlib.import_module(NAME)
    assert caught.value.name == "agi_surely_not_installed"
    assert recorder.modules == []
    library.write_text(good + "# and longer, so that its cached code is stale\n")
    importlib.import_module(NAME)
    assert recorder.ready == [True]


def test_a_failed_import_has_no_frame_of_ours(library: Path) -> None:
    library.write_text("raise ValueError('in the library')")
    when_imported(NAME, Recorder())
    with pytest.raises(ValueError, match="in the library") as caught:
        exec(f"import {NAME}", {})
    files = [Path(frame.filename).name for frame in traceback.extract_tb(caught.tb)]
    assert files == [Path(__file__).name, "<string>", "__init__.py"]


def test_a_missing_module_stays_missing(library: Path) -> None:
    recorder = Recorder()
    when_imported("agi_surely_not_installed", recorder)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("agi_surely_not_installed")
    assert caught.value.name == "agi_surely_not_installed"
    assert recorder.modules == []


def test_looking_without_importing_calls_nobody(library: Path) -> None:
    recorder = Recorder()
    when_imported(NAME, recorder)
    spec = importlib.util.find_spec(NAME)
    assert spec is not None
    assert Path(spec.origin or "") == library
    assert recorder.modules == []
    assert NAME not in sys.modules
    importlib.import_module(NAME)
    assert recorder.ready == [True]


def test_can_be_called_off(library: Path) -> None:
    finders = list(sys.meta_path)
    recorder = Recorder()
    call_off = when_imported(NAME, recorder)
    importlib.util.find_spec(NAME)
    call_off()
    call_off()
    assert sys.meta_path == finders
    importlib.import_module(NAME)
    assert recorder.modules == []


def test_the_callback_may_import_from_the_module(library: Path) -> None:
    def callback(module: ModuleType) -> None:
        seen.append(importlib.import_module(f"{module.__name__}.part"))

    seen: list[ModuleType] = []
    when_imported(NAME, callback)
    importlib.import_module(NAME)
    assert seen == [sys.modules[f"{NAME}.part"]]


def test_torch_is_as_it_would_be_without_us() -> None:
    pytest.importorskip("torch")
    program = """
import sys
from autograd_inspect.run.imports import when_imported
if sys.argv[1:]:
    when_imported("torch", lambda torch: print("called", torch.ones(1), file=sys.stderr))
import torch
spec = torch.__spec__
print(type(spec), sorted(vars(spec)), type(spec.loader), torch.__loader__ is spec.loader)
print([getattr(finder, '__name__', type(finder)) for finder in sys.meta_path])
"""
    plain, watched = (
        subprocess.run(
            [sys.executable, "-c", program, *how], capture_output=True, text=True, check=True
        )
        for how in ([], ["watched"])
    )
    assert watched.stdout == plain.stdout
    assert watched.stderr == plain.stderr + "called tensor([1.])\n"
