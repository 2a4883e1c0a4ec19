"""Run a program in this process as `python` would, and end the process as `python` would."""

from __future__ import annotations

import contextlib
import itertools
import os
import runpy
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from autograd_inspect.errors import TargetError
from autograd_inspect.run import mainmodule
from autograd_inspect.run.files import is_machinery, is_ours
from autograd_inspect.run.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

    from autograd_inspect.run.target import Target

_PATIENCE = 1.0  # seconds of waiting for threads before we say that we wait

_OUR_FILES = (__file__, mainmodule.__file__)
_CannotFind: type[ImportError] = runpy._Error  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name

#: Frames that torch goes through, at the most, to hand a function to who has asked to see it.
_LONGEST_DETOUR = 4

_original_process = os.getpid()


@dataclass(frozen=True, slots=True)
class Finished:
    """The program ran to its end."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """We ended the program: the capture is taken."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The program raised SystemExit."""

    exit: SystemExit


@dataclass(frozen=True, slots=True)
class Raised:
    """The program raised `error`, which has been printed.

    `exit` ends the process: status 1, or what the program's own `sys.excepthook` raised.
    """

    error: BaseException
    exit: SystemExit


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The program was interrupted from the keyboard, which has been printed."""

    error: KeyboardInterrupt


Ending = Finished | Stopped | Exited | Raised | Interrupted


@dataclass(frozen=True, slots=True)
class Run:
    """A program that has run: its `__main__`, and how it ended.

    Nothing else of ours holds the module: it must die when and as it does under python, where
    only `sys.modules` holds it once the program has ended.
    """

    main: ModuleType
    ending: Ending

    @property
    def status(self) -> int:
        """The exit status as a shell shows it."""
        if isinstance(self.ending, Interrupted):
            return 130
        if isinstance(self.ending, (Exited, Raised)):
            return _shell_status(self.ending.exit.code)
        return 0


def execute(target: Target, *, before: Callable[[], None] = lambda: None) -> Run:
    """Run the program to whatever end it comes to; call `before` when all is ready for it.

    What the program raises is printed as python prints it and returned, never raised here; a
    TargetError says that there is no such program. In a process that the program forked and
    that comes back here, this ends the process as python would and does not return.
    """
    global _original_process  # noqa: PLW0603 - a process has one program
    _original_process = os.getpid()
    program = mainmodule.prepare(target)
    before()
    error: BaseException | None = None
    try:
        program.load()()
    except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the program's
        error = raised
    run = Run(program.main, _conclude(program, error))
    if not is_original_process():
        finish(run)
    if _ended_without_a_word(run.ending):
        _wait_for_threads()
    return run


def finish(run: Run) -> NoReturn:
    """End the process as python would have ended it after this program.

    Raises, so that python itself prints an exit message, finalises, and, for a keyboard
    interrupt, dies of SIGINT; nothing between here and the outermost frame may catch it.
    """
    ending = run.ending
    if isinstance(ending, Interrupted):
        _keep_quiet_once()
        raise ending.error
    if isinstance(ending, (Exited, Raised)):
        raise ending.exit
    raise SystemExit(0)


def show_failure_of_call(error: BaseException) -> None:
    """Print what the program's code raised when we called it after its end, as python prints it.

    Its traceback begins at the first line of code that is neither ours nor torch's; where there is
    none, nothing is printed.
    """
    for one in _chain_of(error):
        _strip_our_frames(one)
    trace = error.__traceback__
    while trace is not None and is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    if trace is not None:
        error.__traceback__ = trace
        _display(error)


def is_original_process() -> bool:
    """Tell whether this is the process that runs the program, not one that it forked."""
    return os.getpid() == _original_process


def _conclude(program: mainmodule.Program, error: BaseException | None) -> Ending:
    """Do what python does between the program's last line and the interpreter's end."""
    if error is not None:
        for one in _chain_of(error):
            _strip_our_frames(one)
        _refuse_what_is_no_program(program.target, error)
    if program.is_script:
        _flush()
    if isinstance(error, SystemExit):
        return Exited(error)
    ending = Finished() if error is None else Stopped() if _is_stop(error) else _report(error)
    program.forget_file()
    return ending


def _chain_of(error: BaseException) -> list[BaseException]:
    """List an exception and all that led to it, which python prints with it."""
    chain = [error]
    for one in chain:
        led_to_it = (one.__cause__, one.__context__)
        chain += [e for e in led_to_it if e is not None and all(e is not seen for seen in chain)]
    return chain


def _strip_our_frames(error: BaseException) -> None:
    """Cut out the frames above the program's first, and those of ours between the program's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in _OUR_FILES:
        trace = trace.tb_next
    kept: list[TracebackType] = []
    is_after_ours = False
    while trace is not None:
        is_ours_now = is_ours(trace.tb_frame.f_code.co_filename)
        if not is_ours_now:
            if is_after_ours:
                _drop_detour(kept, back_in=trace)
            kept.append(trace)
        is_after_ours, trace = is_ours_now, trace.tb_next
    for one, following in itertools.zip_longest(kept, kept[1:]):
        one.tb_next = following
    error.__traceback__ = kept[0] if kept else None


def _drop_detour(kept: list[TracebackType], back_in: TracebackType) -> None:
    """Drop the way by which torch came to us from a function, where we went on in the same one."""
    if not kept or kept[-1].tb_frame.f_code.co_name != "handle_torch_function":
        return
    places = range(max(len(kept) - _LONGEST_DETOUR, 0), len(kept))
    same = (place for place in places if kept[place].tb_frame.f_code is back_in.tb_frame.f_code)
    # A function may ask only once it is inside of another; that one is entered again, too.
    first = next(same, None)
    if first is not None:
        del kept[first:]


def _refuse_what_is_no_program(target: Target, error: BaseException) -> None:
    """Raise the TargetError that says that the program could not be found or read.

    Python's own search ends in SystemExit with a message, raised by `runpy` before any code of
    the program is on the stack; an ImportError further in is the program's own affair.
    """
    trace = error.__traceback__
    if isinstance(error, TargetError) and trace is None:
        raise error
    if (
        isinstance(error, SystemExit)
        and isinstance(error.__context__, _CannotFind)
        and trace is not None
        and trace.tb_next is None
    ):
        raise TargetError(f"{target.text}: {error.__context__}") from None


def _is_stop(error: BaseException) -> bool:
    """Tell whether it is our Stop, or a task group's bundle of nothing else."""
    if sys.version_info >= (3, 11) and isinstance(error, BaseExceptionGroup):  # noqa: F821 - new in 3.11
        return error.split(Stop)[1] is None
    return isinstance(error, Stop)


def _report(error: BaseException) -> Ending:
    """Print what the program raised as python does, through the hook that the program left."""
    trace = error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, "excepthook", None)
    sys.audit("sys.excepthook", hook, type(error), error, trace)
    if hook is None:
        _write("sys.excepthook is missing\n")
        hook = sys.__excepthook__
    failure: BaseException | None = None
    try:
        hook(type(error), error, trace)
    except BaseException as raised:  # noqa: BLE001 - the hook is the program's too
        failure = raised
    if isinstance(failure, SystemExit):
        return Raised(error, failure)
    if failure is not None:
        for one in _chain_of(failure):
            _strip_our_frames(one)
        _write("Error in sys.excepthook:\n")
        _display(failure)
        _write("\nOriginal exception was:\n")
        _display(error)
    # CPython looks at the very type, too: a subclass ends with status 1.
    if type(error) is KeyboardInterrupt:
        return Interrupted(error)
    return Raised(error, SystemExit(1))


def _display(error: BaseException) -> None:
    sys.__excepthook__(type(error), error, error.__traceback__)


def _write(text: str) -> None:
    with contextlib.suppress(Exception):
        sys.stderr.write(text)


def _flush() -> None:
    """Flush as python does after a script; what fails now fails again, and is told, at exit."""
    for stream in (sys.stderr, sys.stdout):
        with contextlib.suppress(Exception):
            stream.flush()


def _keep_quiet_once() -> None:
    """Let the next uncaught exception pass unprinted: it has been printed already."""
    hook = sys.excepthook

    def quiet(*_: object) -> None:
        sys.excepthook = hook

    sys.excepthook = quiet


def _ended_without_a_word(ending: Ending) -> bool:
    """Tell whether python prints nothing more between this end and waiting for threads."""
    if isinstance(ending, Exited):
        return ending.exit.code is None or isinstance(ending.exit.code, int)
    return isinstance(ending, Finished)


def _wait_for_threads() -> None:
    """Wait for the program's threads as python does at exit: what they do belongs to the run."""
    if not _living_threads():
        return
    notice = threading.Timer(_PATIENCE, _say_that_we_wait)
    notice.daemon = True
    notice.start()
    # Ctrl-C ends our waiting only: python waits again as it exits, and another ends that.
    with contextlib.suppress(Exception, KeyboardInterrupt):
        _dismiss_executors()
        while threads := _living_threads():
            threads[0].join()
    notice.cancel()


def _living_threads() -> list[threading.Thread]:
    ours = (threading.main_thread(), threading.current_thread())
    return [each for each in threading.enumerate() if not each.daemon and each not in ours]


def _dismiss_executors() -> None:
    """Let the workers of thread and process pools finish and go; idle ones wait for ever.

    Python calls these before it waits for threads. Each is struck off once it is through, so that
    none is called twice, and one that fails does so again at exit, where python reports it.
    """
    farewells: list[Callable[[], object]] = getattr(threading, "_threading_atexits", [])
    while farewells:
        farewells[-1]()
        farewells.pop()


def _say_that_we_wait() -> None:
    names = ", ".join(thread.name for thread in _living_threads())
    _write(f"agi: waiting for the program's threads to end: {names}\n")


def _shell_status(code: object) -> int:
    if code is None:
        return 0
    if not isinstance(code, int):
        return 1
    # A C long first, of which the system keeps the low byte.
    return code & 0xFF if -(2**63) <= code < 2**63 else 0xFF
