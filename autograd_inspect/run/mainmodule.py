"""What python sets up before a program runs: `sys.argv`, `sys.path[0]` and `__main__`.

Python does this in C, in `Modules/main.c` and `Python/pythonrun.c`; every line here has its
counterpart there, and the tests compare the two.
"""

from __future__ import annotations

import builtins
import io
import linecache
import os
import pkgutil
import runpy
import sys
import textwrap
from dataclasses import dataclass
from functools import partial
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from autograd_inspect.errors import TargetError
from autograd_inspect.run.imports import step_aside

if TYPE_CHECKING:
    from collections.abc import Callable

    from autograd_inspect.run.target import Target

# The very function that `python -m` calls; its frames belong in a module's tracebacks.
_run_as_main: Callable[..., object] = runpy._run_module_as_main  # type: ignore[attr-defined]  # noqa: SLF001 - see above


@dataclass(frozen=True, slots=True)
class Program:
    """A program about to run: everything is in place but its code.

    `place` is the absolute path of a script, directory or archive as of before the program ran:
    it may change the working directory, or delete it.
    """

    target: Target
    main: ModuleType
    place: str
    holds_modules: bool

    @property
    def is_script(self) -> bool:
        """Whether python runs it from a stream of text: a file or standard input."""
        return self.target.kind in ("path", "stdin") and not self.holds_modules

    def load(self) -> Callable[[], object]:
        """Return the program, ready to be called once.

        What is called is a C function or python's own `runpy`, so that no frame of ours stands
        between the caller and the program. A SyntaxError is the program's; a TargetError is ours.
        """
        if self.target.kind == "module":
            return partial(_run_as_main, self.target.name)
        if self.holds_modules:
            return partial(_run_as_main, "__main__", False)
        facts = self.main.__dict__
        if self.target.kind == "path":
            code = _compile_file(self.place, facts)
        elif self.target.kind == "stdin":
            code = _compile_stdin(facts)
        else:
            code = _compile_command(self.target.name)
        return partial(exec, code, facts)

    def forget_file(self) -> None:
        """Take `__file__` away as python does once a script has run to its end or raised."""
        if self.is_script:
            self.main.__dict__.pop("__file__", None)
            self.main.__dict__.pop("__cached__", None)


def prepare(target: Target) -> Program:
    """Make this process look as python's own does just before the program runs."""
    place = _absolute(target.name) if target.kind == "path" else ""
    holds_modules = bool(place) and pkgutil.get_importer(place) is not None
    _set_arguments(target)
    os.environ["AGI_TRACE"] = "1"
    # Command-line libraries replace it as they are imported.
    sys.excepthook = sys.__excepthook__
    step_aside(_put_path_entry(target, place if holds_modules else None))
    return Program(target, _make_main(), place, holds_modules)


def _absolute(name: str) -> str:
    """Make a path absolute as python makes `__file__`: not normalised, links not followed."""
    return name if Path(name).is_absolute() else f"{Path.cwd()}{os.sep}{name}"


def _set_arguments(target: Target) -> None:
    option = {"module": ["-m"], "code": ["-c"]}.get(target.kind, [])
    # A module's own path takes the place of "-m" once runpy has found it.
    sys.argv[:] = [*(option or [target.name]), *target.arguments]
    # A program that starts itself again must start itself, not us.
    of_python = _interpreter_options(sys.orig_argv[1:])
    sys.orig_argv[1:] = [*of_python, *option, target.name, *target.arguments]


def _interpreter_options(words: list[str]) -> list[str]:
    """Return the words up to what python is to run."""
    end = 0
    while end < len(words) and words[end].startswith("-") and words[end] not in ("-", "-c", "-m"):
        end += 2 if words[end] in ("-W", "-X", "--check-hash-based-pycs") else 1
    return words[:end]


def _put_path_entry(target: Target, container: str | None) -> str | None:
    """Replace our entry of `sys.path` by the program's; return it, or None where python has none.

    `container` is the directory or archive to run, which python puts there in any case; any
    other entry it leaves out under `-P`, `-I` and PYTHONSAFEPATH.
    """
    safe = bool(sys.flags.isolated or getattr(sys.flags, "safe_path", False))
    if container is not None:
        entry = container
    elif safe:
        return None
    elif target.kind == "path":
        entry = str(Path(target.name).resolve().parent)
    else:
        entry = str(Path.cwd()) if target.kind == "module" else ""
    sys.path[: 0 if safe else 1] = [entry]
    return entry


def _make_main() -> ModuleType:
    main = ModuleType("__main__")
    facts = main.__dict__
    facts["__loader__"] = BuiltinImporter
    if sys.version_info < (3, 14):
        facts["__annotations__"] = {}
    facts["__builtins__"] = builtins
    sys.modules["__main__"] = main
    # multiprocessing, once imported, pickles and unpickles through this second name.
    if "__mp_main__" in sys.modules:
        sys.modules["__mp_main__"] = main
    return main


def _compile_file(file: str, facts: dict[str, Any]) -> CodeType:
    sourceless = file.endswith(".pyc")
    loader = (SourcelessFileLoader if sourceless else SourceFileLoader)("__main__", file)
    facts.update(__file__=file, __cached__=None, __loader__=loader)
    try:
        if sourceless:
            return cast("CodeType", loader.get_code("__main__"))
        with io.open_code(file) as stream:
            source = stream.read()
    except OSError as error:
        raise TargetError(f"{file} cannot be read: {error.strerror}") from error
    return compile(source, file, "exec", dont_inherit=True)


def _compile_stdin(facts: dict[str, Any]) -> CodeType:
    facts.update(__file__="<stdin>", __cached__=None)
    return compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True)


def _compile_command(source: str) -> CodeType:
    source = f"{source}\n"
    since_3_14 = sys.version_info >= (3, 14)
    if since_3_14:
        source = textwrap.dedent(source)
    code = compile(source, "<string>", "exec", dont_inherit=True)
    # Since 3.13 tracebacks show the lines of a program that stands in no file.
    if remember := getattr(linecache, "_register_code", None):
        remember(code if since_3_14 else "<string>", source, "<string>")
    return code
