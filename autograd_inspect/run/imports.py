"""Which modules the program imports, and being told when it has imported one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_PACKAGE = __name__.partition(".")[0]


def when_imported(name: str, callback: Callable[[ModuleType], None]) -> Callable[[], None]:
    """Call back once, right after the program has imported `name`; return what calls it off.

    The module has run to its end by then. If it already has, the call comes at once. The import
    itself goes through the same finders and the same loader as without us, and a failed one may
    be tried again.
    """
    watch = _Watch(name, callback)
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if module is None:
        sys.meta_path.insert(0, watch)
    elif getattr(spec, "_initializing", False):
        watch.attach(spec)
    else:
        callback(module)
    return watch.call_off


class _Watch:
    """A finder that lets the others find a module, and marks the spec they found."""

    def __init__(self, name: str, callback: Callable[[ModuleType], None]) -> None:
        self.name = name
        self.callback: Callable[[ModuleType], None] | None = callback

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        for finder in list(sys.meta_path):
            found = None if finder is self else finder.find_spec(fullname, path, target)
            if found is not None:
                self.attach(found)
                return found
        return None

    def attach(self, spec: ModuleSpec | None) -> None:
        # A spec of a class of its own belongs to somebody who has plans of his own for it.
        if type(spec) is ModuleSpec:
            spec.__class__ = _WatchedSpec
            spec.__dict__["_watch"] = self

    def imported(self) -> None:
        module = sys.modules.get(self.name)
        callback = self.callback
        if module is not None and callback is not None:
            self.call_off()
            callback(module)

    def call_off(self) -> None:
        self.callback = None
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _WatchedSpec(ModuleSpec):
    """A spec that tells its watch when the import system has finished with the module.

    The import system sets `_initializing` to False last of all, whether the module ran to its
    end or raised; one that raised is out of `sys.modules` by then. Hooking in here, and not at the
    loader, leaves no frame of ours in the traceback of an import that fails and keeps the
    module's loader its own all along.
    """

    @property
    def _initializing(self) -> bool:
        return bool(self.__dict__.get("_initializing", False))

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self.__dict__["_initializing"] = value
        if not value:
            self.__class__ = ModuleSpec  # type: ignore[assignment]  # what it was before
            self.__dict__.pop("_watch").imported()


@dataclass(slots=True)
class _Sides:
    """Whose modules and whose path are whose, once the program's entry is in `sys.path`."""

    entry: str | None = None
    our_path: list[str] = field(default_factory=list)
    our_modules: dict[str, ModuleType] = field(default_factory=dict)


_sides = _Sides()


def step_aside(entry: str | None) -> None:
    """Take those modules out of `sys.modules` that the program has files of its own for.

    `entry` is the program's entry, already the first of `sys.path`; None when it has none. A
    `rich.py` beside the script is then what the script's `import rich` finds, as without us.
    """
    beside_us = str(Path(__file__).parents[2])
    path = sys.path if entry is None else sys.path[1:]
    _sides.our_path = [*path, *([] if beside_us in path else [beside_us])]
    if entry is None:
        return
    _sides.entry = str(Path(entry).absolute())
    # Some modules may not be loaded twice, so only what is really hidden moves.
    loaded = {_top(name) for name in sys.modules} - {"__main__", "__mp_main__", _PACKAGE}
    hidden = {name for name in loaded if _lies_elsewhere(name, [_sides.entry])}
    if hidden:
        hidden -= _loaded_by_python_itself()
    _sides.our_modules = _take_out(hidden)


@contextmanager
def our_imports() -> Iterator[None]:
    """Give our own code its own modules and path for a while, after the program has run."""
    if not _sides.our_path:
        yield
        return
    their_path, sys.path = sys.path, _sides.our_path
    names = {_top(name) for name in _sides.our_modules} | set(_taken_by_program())
    their_modules = _take_out(names)
    sys.modules.update(_sides.our_modules)
    _sides.our_modules = {}
    try:
        yield
    finally:
        _sides.our_modules = _take_out(names)
        sys.modules.update(their_modules)
        sys.path = their_path


def _loaded_by_python_itself() -> set[str]:
    """Ask a fresh python which modules it has loaded before the first line of a program."""
    asked = subprocess.run(
        [sys.executable, "-"],
        input="import sys; print(*sys.modules)",
        capture_output=True,
        text=True,
        check=False,
    )
    return set(asked.stdout.split()) or set(sys.stdlib_module_names)


def _taken_by_program() -> Iterator[str]:
    """Name the modules that the program has from its own entry, and we from somewhere else."""
    for name, module in list(sys.modules.items()):
        origin = _origin(module)
        if "." in name or origin is None:
            continue
        file = Path(origin)
        folder = file.parent.parent if file.stem == "__init__" else file.parent
        if str(folder) == _sides.entry and _lies_elsewhere(name, _sides.our_path):
            yield name


def _lies_elsewhere(name: str, path: list[str]) -> bool:
    """Tell whether `path` has another module of this name than the one that is loaded.

    Those built into python go before any file, and so does any file before a folder without
    `__init__.py`.
    """
    if BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name):
        return False
    found = PathFinder.find_spec(name, path)
    if found is None or found.origin is None:
        return False
    loaded = _origin(sys.modules.get(name))
    try:
        return loaded is None or not Path(found.origin).samefile(loaded)
    except OSError:  # in an archive, or gone since
        return found.origin != loaded


def _origin(module: object) -> str | None:
    # Not by getattr: what a program puts into sys.modules may answer to any name, or raise.
    spec = vars(module).get("__spec__") if isinstance(module, ModuleType) else None
    return spec.origin if isinstance(spec, ModuleSpec) and spec.has_location else None


def _take_out(names: Iterable[str]) -> dict[str, ModuleType]:
    """Remove these modules and all below them from `sys.modules`, and return them."""
    tops = set(names)
    return {name: sys.modules.pop(name) for name in list(sys.modules) if _top(name) in tops}


def _top(name: str) -> str:
    return name.partition(".")[0]
