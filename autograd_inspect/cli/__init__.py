"""The command line: one file per verb; `main` is the only place that prints errors and exits."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from autograd_inspect.errors import AgiError

#: The exit status of a bug of ours.
BUG = 3


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `agi` and end the process: with its own status, or as the traced program would have.

    A verb is read from the command line first and carried out afterwards, so that the user's
    program runs outside of the command line library, which has its own ideas of what an exception
    means, and few frames deep.
    """
    try:
        verb = _read(sys.argv[1:] if arguments is None else list(arguments))
        status = verb()
    except AgiError as error:
        status = complain(error)
    except BrokenPipeError:
        # The reader has gone (`| head`); python would complain once more while closing stdout.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 141
    except Exception:  # noqa: BLE001 - whatever it is, it must be reported as ours
        status = report_bug()
    raise SystemExit(status)


def complain(error: AgiError) -> int:
    """Print an error of the user's in one line, and what to do next."""
    print(f"agi: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"     {error.hint}", file=sys.stderr)
    return error.exit_code


def report_bug(error: BaseException | None = None) -> int:
    """Print the traceback of a bug of ours and where to report it."""
    from autograd_inspect._version import __version__

    traceback.print_exception(error or sys.exc_info()[1])
    print(
        f"agi: this is a bug in autograd-inspect {__version__}, not in your program. Please report "
        "it with the traceback above.",
        file=sys.stderr,
    )
    return BUG


def _read(arguments: list[str]) -> Verb:
    from autograd_inspect.cli.app import read_command_line

    return read_command_line(arguments)


from autograd_inspect.cli.verb import Verb  # noqa: E402
