"""Where the program stands: the user's lines and the module calls that led there.

Asked for at every node that torch makes, so this is the one place where a microsecond counts. The
way up the stack ends at the nearest module call, which knows the rest of the way.
"""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any

from torch import nn

from autograd_inspect.run import loader
from autograd_inspect.run.files import is_machinery, is_own

#: Frames of the user's code that tell one site from another, between two module calls.
_DEEP = 4
#: Sites kept; a program that makes code as it runs would go on for ever.
_MOST_SITES = 100_000

_MODULE_CALL = nn.Module._call_impl.__code__
_OUR_LOADER = loader.__file__
#: Where libraries put code that they generate. `tempfile` is not asked: it would remember.
_TEMPORARY = tuple(
    folder.rstrip(os.sep) + os.sep
    for folder in (*map(os.environ.get, ("TMPDIR", "TEMP", "TMP")), "/tmp")  # noqa: S108 - only read
    if folder
)

_MACHINERY, _OWN, _LIBRARY, _OUTSIDE, _MADE_UP = range(5)


class Text(str):
    """Nothing to read: torch joins what is recorded of a node into a message, as texts."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        """Be true, as other objects are, however short the text."""
        return True


class Site(Text):
    """A stretch of the user's stack, up to the nearest module call: found once, then shared.

    lines    code, instruction offset and line of each frame of the user's, innermost first
    joined   of each line, whether the next one out, or the call of the module, called its function
             itself: what the function returns is then the value of that call
    library  the same of the innermost frame of an installed library, if that is further in
    """

    __slots__ = ("joined", "library", "lines")
    lines: tuple[Line, ...]
    joined: tuple[bool, ...]
    library: Line | None

    @classmethod
    def at(cls, *lines: Line, joined: Iterable[bool] = (), library: Line | None = None) -> Site:
        """Make the site of these lines."""
        site = cls()
        site.lines, site.joined, site.library = lines, tuple(joined), library
        return site


Line = tuple[CodeType, int, int]
"""Code, offset of the instruction, and line of a frame."""


class Call(Text):
    """One call of a module. It hangs on the frame of the call, and goes when that and all nodes go.

    module  weak: a node that kept its module alive would close a circle that nothing frees
    serial  rises from call to call
    caller  where the module was called
    parent  the module call further out, OUTSIDE where there is none
    """

    __slots__ = ("caller", "cls", "module", "parent", "serial")
    module: weakref.ref[nn.Module] | None
    cls: str
    serial: int
    caller: Site
    parent: Call

    def __call__(self, *_: object) -> Call:
        """Do nothing as a trace function, which is what hangs on a frame where one is debugged."""
        return self


NOWHERE = Site.at()
OUTSIDE = Call()
OUTSIDE.module, OUTSIDE.cls, OUTSIDE.serial = None, "", -1
OUTSIDE.caller, OUTSIDE.parent = NOWHERE, OUTSIDE

Spot = tuple[Site, Call]


class _Sorts(dict[str, int]):
    """What kind of code a file holds, found out once per file."""

    def __missing__(self, filename: str) -> int:
        if filename == _OUR_LOADER:
            sort = _OUTSIDE
        elif is_machinery(filename):
            sort = _MACHINERY
        elif filename.startswith(("<", *_TEMPORARY)):
            sort = _MADE_UP
        else:
            sort = _OWN if is_own(filename) else _LIBRARY
        self[filename] = sort
        return sort


_sorts = _Sorts()
_sites: dict[tuple[int, ...], Site] = {}
_serials = itertools.count()
_debugged: dict[int, Call] = {}


def spot_of(frame: FrameType | None) -> Spot:
    """Tell where a frame stands: its site, and the module call that it is in."""
    first = frame
    key: tuple[int, ...] = ()
    call = OUTSIDE
    deep = 0
    while frame is not None:
        code = frame.f_code
        if code is _MODULE_CALL:
            call = frame.f_trace  # type: ignore[assignment]
            if type(call) is not Call:
                call = _call_of(frame)
            break
        sort = _sorts[code.co_filename]
        if sort:
            if sort == _MADE_UP:
                sort = _sort_of(frame)
            if sort == _OUTSIDE:
                break
            if sort == _OWN and deep < _DEEP:
                deep += 1
                key += (id(code), frame.f_lasti)
            elif sort == _LIBRARY and not key:
                key = (id(code), frame.f_lasti, 0)
        frame = frame.f_back
    site = _sites.get(key)
    return (_make_site(key, first) if site is None else site), call


def line_spot(spot: Spot) -> Spot:
    """Give the spot of the innermost line of the user's, which may be a few module calls out."""
    site, call = spot
    while not site.lines and call is not OUTSIDE:
        site, call = call.caller, call.parent
    return site, call


def _make_site(key: tuple[int, ...], frame: FrameType | None) -> Site:
    """Read the same frames again, with their lines; the code is kept, so its id stays its own."""
    lines: list[Line] = []
    joined: list[bool] = []
    library: Line | None = None
    while frame is not None and frame.f_code is not _MODULE_CALL:
        sort = _sort_of(frame)
        if sort == _OUTSIDE:
            break
        line = (frame.f_code, frame.f_lasti, frame.f_lineno or 0)
        if sort == _OWN and len(lines) < _DEEP:
            lines.append(line)
            joined.append(_is_called_directly(frame))
        elif sort == _LIBRARY and not lines and library is None:
            library = line
        frame = frame.f_back
    site = Site.at(*lines, joined=joined, library=library)
    if len(_sites) >= _MOST_SITES:
        _sites.clear()
    _sites[key] = site
    return site


def _is_called_directly(frame: FrameType) -> bool:
    """Tell whether the user's own code, or the call of a module, called this frame's function."""
    caller = frame.f_back
    if caller is None:
        return False
    is_module_call = caller.f_code.co_filename == _MODULE_CALL.co_filename
    return is_module_call or _sort_of(caller) == _OWN


def _sort_of(frame: FrameType) -> int:
    """Sort a frame by its file; code that lies in no real file, by the module it runs in."""
    sort = _sorts[frame.f_code.co_filename]
    return _sort_of_module(frame.f_globals.get("__name__")) if sort == _MADE_UP else sort


def _sort_of_module(name: object) -> int:
    """Sort code that was generated while the program ran: it belongs to who has generated it."""
    top = str(name or "__main__").partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    if top in {"__main__", "builtins"} or not file:
        return _OWN
    return _MACHINERY if is_machinery(file) else _OWN if is_own(file) else _LIBRARY


def _call_of(frame: FrameType) -> Call:
    """Begin the call of a module whose frame is met for the first time, and those further out.

    The frame itself carries the call: no hook that could go out of step with the stack, and the
    call ends when the frame does, however it ends.
    """
    unmet: list[FrameType] = []
    outer: FrameType | None = frame
    while outer is not None and type(outer.f_trace) is not Call:
        if outer.f_code is _MODULE_CALL:
            unmet.append(outer)
        outer = outer.f_back
    call = OUTSIDE
    for one in reversed(unmet):
        # Those further out carry theirs by now, so this goes no deeper than one call.
        if one.f_trace is None:
            one.f_trace = call = _new_call(one)
        else:
            call = _debugged_call(one)
    return call


def _debugged_call(frame: FrameType) -> Call:
    """Find or make the call of a frame that a debugger has put its own function on."""
    call = _debugged.get(id(frame))
    module = frame.f_locals["self"]
    if call is None or call.module is None or call.module() is not module:
        call = _debugged[id(frame)] = _new_call(frame)
    return call


def _new_call(frame: FrameType) -> Call:
    module: Any = frame.f_locals["self"]
    call = Call()
    call.cls = getattr(module, "original_name", None) or type(module).__name__
    try:
        call.module = weakref.ref(module)
    except TypeError:  # of a class that has no room for weak references
        call.module = None
    call.serial = next(_serials)
    call.caller, call.parent = spot_of(frame.f_back)
    return call
