"""Every program of `loader_cases/` runs under agi exactly as it runs under python.

Each case runs twice in a fresh process and the same directory, with the same arguments, standard
input and environment; exit status, standard output and standard error must be equal byte for byte.

Programs that never import torch say so under `agi trace`: one line more, and status 5 instead of 0.
Nothing else may differ.

Three differences are inherent and have no case here:
- a few frames of ours lie below the program's first, for those who count frames or look past the
  bottom of the stack (`inspect.stack()`, a `stacklevel` that reaches above the script);
- a program that does not exist gets our message and status 2;
- a script in another encoding than UTF-8 that does not say so is refused in the words of
  `compile`, not in those of the parser that reads files.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parent / "loader_cases"
ROOT = Path(__file__).parents[1]

#: What a program that makes no graph gets from us besides its own: this line, and status 5 for 0.
NOTHING = b"agi: nothing to trace: the program never imported torch\n"


def under_agi(*argv: str) -> list[str]:
    """Give the arguments of `python` that run a program under agi."""
    return ["-m", "autograd_inspect", "trace", "-q", "--keep-running", *argv]


Outcome = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True)
class Case:
    """A program and how to call it: what follows `python`, and what surrounds it."""

    id: str
    argv: tuple[str, ...]
    options: tuple[str, ...] = ()
    stdin: str = ""
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    one_pipe: bool = False
    reader_gone: bool = False
    since: tuple[int, int] = (3, 10)
    needs: str = ""


def script(name: str, *arguments: str, **how: object) -> Case:
    words = [name, *arguments, *(key for key, value in how.items() if value is True)]
    return Case(" ".join(words), (f"{name}.py", *arguments), **how)


def source(name: str) -> str:
    return (CASES / f"{name}.py").read_text(encoding="utf-8")


PACKAGE = {"pkg/__init__.py": "annotations", "pkg/helper.py": "helper"}
AS_MAIN = {"app/__main__.py": "module_facts", "app/helper.py": "helper"}
NAMES_TAKEN = ("typer.py", "rich/__init__.py", "graphviz.py", "dataclasses.py", "calendar.py")
NEVER_FOUND = ("os.py", "time.py", "encodings.py")
OWN_MODULES = dict.fromkeys((*NAMES_TAKEN, *NEVER_FOUND), "fake_library")
STATUSES = (
    "None",
    "0",
    "3",
    "-1",
    "256",
    "2**40 + 6",
    "2**70",
    "'message'",
    "True",
    "2.5",
    "(1, 2)",
)

SCRIPTS = [
    script("annotations"),
    script("argparse_options", "--help"),
    script("argparse_options", "-o", "x", "-q", "--expr", "loss", "--step=2", "a:b", "--", "-c"),
    script("argparse_options", "--unknown"),
    script("asyncio_interrupt"),
    script("asyncio_run"),
    script("atexit_globals"),
    script("atexit_globals", "exit"),
    script("atexit_globals", "raise"),
    script("atexit_raises"),
    script("bom"),
    script("chained_errors"),
    script("chdir"),
    script("class_pickles"),
    script("close_stdout", "10", reader_gone=True),
    script("close_stdout", "10", "flush", reader_gone=True),
    script("close_stdout", "100000", reader_gone=True),
    script("crlf"),
    script("daemon_thread"),
    script("dataclass_hints"),
    script("del_at_exit"),
    script("del_at_exit", "exit"),
    script("del_at_exit", "raise"),
    script("del_raises"),
    script("deletes_cwd"),
    script("deprecation"),
    script("exception_group", since=(3, 11)),
    script("excepthook_custom"),
    script("excepthook_exits"),
    script("excepthook_exits", "interrupt"),
    script("excepthook_missing"),
    script("excepthook_original"),
    script("excepthook_raises"),
    script("executor_idle"),
    script("exit_builtin"),
    *(script("exit_status", status) for status in STATUSES),
    *(
        script("fork_child", *how)
        for how in ((), ("exit",), ("message",), ("raise",), ("interrupt",))
    ),
    script("fork_pool"),
    script("forkserver_executor"),
    script("future_import"),
    script("import_error"),
    *(script("interleaved", *how, one_pipe=True) for how in ((), ("exit",), ("raise",))),
    *(script("keyboard_interrupt", *how) for how in ((), ("raise",), ("subclass",), ("hook",))),
    script("latin1_cookie"),
    script("live_thread"),
    *(script("live_thread_exit", status, one_pipe=True) for status in ("0", "'message'")),
    script("logs"),
    script("main_guard", "a", "--b=c"),
    script("module_facts"),
    script("os_exit"),
    script("own_source"),
    script("paths", "a", ""),
    script("reads_stdin", stdin="Ada\nsecond line\nthe rest\nof it\n"),
    script("recursion"),
    script("relative_import"),
    script("removes_main"),
    script("runs_itself", "first"),
    script("runs_path"),
    script("sigterm"),
    script("sigterm", "handler"),
    script("spawn_pool"),
    script("spawn_returns_object"),
    script("standard_state"),
    script("syntax_error"),
    script("syntax_error_runtime"),
    script("syntax_warning"),
    script("system_exit_raised"),
    script("thread_error"),
    script("torch_training", needs="torch"),
    script("try_finally"),
    script("uncaught"),
    script("uses_own_modules", files=OWN_MODULES),
]

WAYS_TO_CALL = [
    Case("a path that is not normal", ("./pkg/../module_facts.py",), files=PACKAGE),
    Case("a path below", ("pkg/main.py", "x"), files={"pkg/main.py": "paths"}),
    Case("an absolute path", (str(CASES / "module_facts.py"),)),
    Case("a link, by its facts", ("link.py",), links={"link.py": "pkg/main.py"},
         files={"pkg/main.py": "module_facts"}),
    Case("a link, by its path", ("link.py",), links={"link.py": "pkg/main.py"},
         files={"pkg/main.py": "paths"}),
    Case("a colon in the name", ("odd:name.py",), files={"odd:name.py": "module_facts"}),
    Case("no suffix", ("program",), files={"program": "module_facts"}),
    Case("optimised", ("paths.py",), options=("-OO",)),
    Case("warnings as errors", ("deprecation.py",), options=("-W", "error")),
    Case("development mode", ("uncaught.py",), options=("-X", "dev")),
    Case("unbuffered", ("interleaved.py", "raise"), options=("-u",), one_pipe=True),
    Case("safe path", ("paths.py",), options=("-P",), since=(3, 11)),
    Case("safe path, no sibling", ("import_error.py",), options=("-P",), since=(3, 11)),
    Case("safe path, directory", ("app",), options=("-P",), since=(3, 11),
         files={"app/__main__.py": "paths"}),
    Case("directory", ("app", "x"), files=AS_MAIN),
    Case("directory with a slash", ("app/",), files=AS_MAIN),
    Case("directory, its path", ("app", "x"), files={"app/__main__.py": "paths"}),
    Case("directory, error", ("app",), files={"app/__main__.py": "uncaught"}),
    Case("directory, syntax error", ("app",), files={"app/__main__.py": "syntax_error"}),
    Case("archive", ("app.zip", "x"), files={"app.zip/__main__.py": "module_facts"}),
    Case("archive, its path", ("app.zip", "x"), files={"app.zip/__main__.py": "paths"}),
    Case("archive, error", ("app.zip",),
         files={"app.zip/__main__.py": "import_error", "app.zip/helper.py": "helper"}),
    Case("module", ("-m", "module_facts", "x")),
    Case("module, its path", ("-m", "paths", "-c", "-m")),
    Case("module, error", ("-m", "uncaught")),
    Case("module, exit message", ("-m", "interleaved", "exit"), one_pipe=True),
    Case("module, interrupted", ("-m", "keyboard_interrupt")),
    Case("module, syntax error", ("-m", "syntax_error")),
    Case("module, exit handlers", ("-m", "atexit_globals")),
    Case("module, spawn", ("-m", "spawn_returns_object")),
    Case("module, deprecations", ("-m", "deprecation")),
    Case("package", ("-m", "pkg"), files={**PACKAGE, "pkg/__main__.py": "relative_import"}),
    Case("module in a package", ("-m", "pkg.main"),
         files={**PACKAGE, "pkg/main.py": "relative_import"}),
    Case("package that fails", ("-m", "pkg.main"),
         files={"pkg/__init__.py": "import_error", "pkg/main.py": "paths"}),
    Case("module imported before", ("-m", "pkg.helper"),
         files={"pkg/__init__.py": "relative_import", "pkg/helper.py": "helper"}),
    Case("command", ("-c", source("module_facts"), "x")),
    Case("command, its path", ("-c", source("paths"), "x", "-c")),
    Case("command, error", ("-c", source("uncaught"))),
    Case("command, syntax error", ("-c", source("syntax_error"))),
    Case("command, interrupted", ("-c", source("keyboard_interrupt"))),
    Case("command with colons", ("-c", "x: int = {1: 2}[1]; print(x, [0, 1][0:1])")),
    Case("command, both streams", ("-c", source("interleaved"), "raise"), one_pipe=True),
    Case("command, sibling", ("-c", "import helper; helper.fail()")),
    Case("command, indented", ("-c", "  print(1)\n  print(2)"), since=(3, 14)),
    Case("standard input", ("-", "x"), stdin=source("module_facts")),
    Case("standard input, its path", ("-", "x"), stdin=source("paths")),
    Case("standard input, error", ("-",), stdin=source("uncaught")),
    Case("standard input, syntax error", ("-",), stdin=source("syntax_error")),
    Case("standard input, read to its end", ("-",), stdin=source("reads_stdin")),
    Case("standard input, exit handlers", ("-",), stdin=source("atexit_globals")),
]  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS + WAYS_TO_CALL, ids=lambda case: case.id)
def test_program_runs_as_under_python(case: Case, tmp_path: Path) -> None:
    if sys.version_info < case.since:
        pytest.skip(f"needs python {'.'.join(map(str, case.since))}")
    if case.needs and importlib.util.find_spec(case.needs) is None:
        pytest.skip(f"needs {case.needs}")
    plain = outcome(case, list(case.argv), tmp_path / "work")
    ours = outcome(case, under_agi(*case.argv), tmp_path / "work")
    assert without_our_word(ours) == plain


def without_our_word(ours: Outcome) -> Outcome:
    """Take away what agi says to a program that never imports torch: one line, and 5 for 0."""
    status, *streams = ours
    told = [stream is not None and NOTHING in stream for stream in streams]
    out, err = (stream and stream.replace(NOTHING, b"", 1) for stream in streams)
    return 0 if status == 5 and any(told) else status, out, err


def test_every_case_file_is_run() -> None:
    run = {Path(word).stem for case in SCRIPTS + WAYS_TO_CALL for word in case.argv}
    used = {name for case in SCRIPTS + WAYS_TO_CALL for name in case.files.values()}
    assert {file.stem for file in CASES.glob("*.py")} <= run | used


def outcome(case: Case, argv: list[str], directory: Path) -> Outcome:
    """Run a program in a fresh directory of the same name, and return what a shell sees of it."""
    furnish(directory, case)
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**theirs, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    with reader_gone() if case.reader_gone else contextlib.nullcontext(subprocess.PIPE) as stdout:
        done = subprocess.run(
            [sys.executable, *case.options, *argv],
            cwd=directory,
            env=environment,
            input=case.stdin.encode(),
            stdout=stdout,
            stderr=subprocess.STDOUT if case.one_pipe else subprocess.PIPE,
            timeout=60,
            check=False,
        )
    return done.returncode, done.stdout, done.stderr


def furnish(directory: Path, case: Case) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(CASES, directory, ignore=shutil.ignore_patterns("__pycache__"))
    for place, name in case.files.items():
        archive, is_archive, member = place.partition(".zip/")
        if is_archive:
            with zipfile.ZipFile(directory / f"{archive}.zip", "a") as file:
                file.write(CASES / f"{name}.py", member)
        else:
            (directory / place).parent.mkdir(exist_ok=True)
            shutil.copy(CASES / f"{name}.py", directory / place)
    for place, destination in case.links.items():
        (directory / place).symlink_to(destination)


@contextlib.contextmanager
def reader_gone() -> Iterator[int]:
    """Give the end to write to of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)
