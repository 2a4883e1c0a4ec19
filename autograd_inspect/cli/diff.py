"""`agi diff`: print, or draw, what changed from one capture to another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.render import PICTURES, Picture
from autograd_inspect.cli.source import KEPT, Running, is_program, looks_like_capture, read_target
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import Results, Terminal, check_free, say, write_file
from autograd_inspect.errors import UsageError

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture
    from autograd_inspect.model.diff import Diff

#: On a terminal: lines beside the changes, and lines of changes that there are at least.
_BESIDE, _FEWEST = 18, 10


@dataclass(frozen=True, slots=True)
class Comparing:
    """What to compare and how to show it, as the options say."""

    printing: Printing
    what: tuple[str, ...]
    tolerance: float
    top: int | None = None
    everything: bool = False
    exit_code: bool = False
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """The two captures or programs, the arguments behind them, and how to run either."""

    before: str
    after: str | None
    arguments: tuple[str, ...]
    running: tuple[Running, Running]


class ProgramFailedError(Exception):
    """A program to compare ended without a capture, and has said why itself."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def diff(sources: Sources, comparing: Comparing) -> int:
    """Compare; the status is 1 for a difference where `--exit-code` asks for that."""
    from autograd_inspect.analyses.words import check_aspects

    # Wrong words are found before a program runs for an hour.
    check_aspects(comparing.what)
    results = _begin(comparing)
    try:
        before, after = obtain_both(sources)
    except ProgramFailedError as failure:
        return failure.status
    from autograd_inspect.analyses.diff import diff as compare

    found = compare(before, after, what=comparing.what, tolerance=comparing.tolerance)
    if comparing.picture is not None:
        _draw(found, comparing.picture, results)
    else:
        comparing.printing.finish(results, _forms(found, comparing))
        _say_if_same(found, comparing.printing)
    for note in found.notes:
        say(f"agi: {note}")
    return int(comparing.exit_code and bool(found))


def picture_of(picture: Picture, *, table: bool) -> Picture | None:
    """Give the picture to draw, None where a table is wanted instead."""
    named = picture.output is not None and picture.output.suffix.lower() in PICTURES
    if table and picture.formats:
        raise UsageError("--json and --csv print the table: no picture along with them")
    return picture if picture.formats or (named and not table) else None


def _begin(comparing: Comparing) -> Results:
    """Make sure, before any program runs, that the result can be written where it is to go."""
    picture = comparing.picture
    if picture is None:
        return comparing.printing.begin()
    results = Results()
    if picture.to_stdout:
        picture.refuse_binary()
        results.set_apart()
    elif picture.output is not None:
        check_free(picture.output, force=picture.force)
    return results


def obtain_both(sources: Sources) -> tuple[Capture, Capture]:
    """Read or make both captures; raises ProgramFailedError where a program gave none.

    One alone is compared with the last capture, the older of the two first: a program that is run
    now with what was captured before.
    """
    from autograd_inspect import store

    here = Path.cwd()
    texts = [sources.before, *([sources.after] if sources.after is not None else [])]
    programs = list(map(_is_program, texts, sources.running))
    if sources.arguments and not any(programs):
        raise UsageError(
            f"{sources.arguments[0]}: arguments are for a program, and there is none to run"
        )
    # Found before a program runs: its own capture would be the last.
    paths = [store.last(store.captures_dir(here))] if sources.after is None else []
    each = zip(texts, programs, _shared_out(sources.arguments), sources.running, strict=False)
    for text, program, arguments, running in each:
        paths.append(_run(text, arguments, running, here) if program else Path(text))
    if sources.after is None and not programs[0]:
        paths.reverse()
    before, after = map(store.load, paths)
    return before, after


def _shared_out(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the arguments of either program: the same, unless a second `--` sets them apart."""
    arguments = tuple(arguments)
    if "--" not in arguments:
        return arguments, arguments
    middle = arguments.index("--")
    return arguments[:middle], arguments[middle + 1 :]


def _is_program(text: str, running: Running) -> bool:
    """Tell a program from a capture, which may stand beside a program that -m or -c is for."""
    return not looks_like_capture(text) and is_program(text, running)


def _run(text: str, arguments: Sequence[str], running: Running, here: Path) -> Path:
    """Run a program and give the file of its capture."""
    from autograd_inspect import store

    target = read_target(text, arguments, running)
    folder = store.captures_dir(here)
    path = store.new_path(folder, target.stem)
    # A process of its own: what one program leaves behind in it would reach the other.
    command = [*_traced(running), "-o", str(path), text, *arguments]
    sys.stdout.flush()
    status = _waited_for(subprocess.Popen(command))  # noqa: S603 - the user's own program
    if not path.exists():
        raise ProgramFailedError(status if status > 0 else 128 - status)
    store.prune(folder, KEPT)
    return path


def _waited_for(process: subprocess.Popen[bytes]) -> int:
    """Give the status a process ends in; Ctrl-C is its own to answer, however often."""
    while process.returncode is None:
        with suppress(KeyboardInterrupt):
            process.wait()
    return process.returncode


def _traced(running: Running) -> list[str]:
    """Write the command that takes a capture as these options say."""
    words = [sys.executable, "-m", "autograd_inspect", "trace", "-q"]
    words += ["-m"] * running.module + ["-c"] * running.code
    words += ["--step", str(running.step)]
    for flag, value in (("-e", running.expr), ("--grad-output", running.grad_output)):
        words += [flag, value] if value is not None else []
    words += ["--probe", running.probe.value] if running.probe else []
    return words


def both(running: Running, steps: Sequence[int]) -> tuple[Running, Running]:
    """Give how to run either program: at the same step, or each at its own."""
    if len(steps) > 2:
        raise UsageError("--step: once for both programs, or once for each")
    first, second = steps[:1] or [1], steps[1:] or steps[:1] or [1]
    return replace(running, step=first[0]), replace(running, step=second[0])


def _forms(found: Diff, comparing: Comparing) -> Forms:
    from autograd_inspect.renderers import diff_table

    return Forms(
        json=lambda: diff_table.to_json(found),
        csv=lambda: diff_table.csv(found),
        tabbed=lambda: diff_table.tabbed(found),
        fitted=lambda terminal: _fitted(found, comparing, terminal),
    )


def _fitted(found: Diff, comparing: Comparing, terminal: Terminal) -> str:
    from autograd_inspect.analyses.changes import summarise
    from autograd_inspect.renderers import diff as drawn

    top = comparing.top
    if top is None and terminal.interactive:
        top = max(terminal.rows - _BESIDE, _FEWEST)
    fit = drawn.Fit(top, width=terminal.width)
    if comparing.top is not None:
        fit = replace(fit, drifts=top)
    if comparing.everything:
        fit = replace(fit, changes=None, drifts=None)
    return drawn.render(
        found,
        summarise(found, fold=not comparing.everything),
        fit,
        color=terminal.color,
        ascii=terminal.ascii,
    )


def _say_if_same(found: Diff, printing: Printing) -> None:
    """Say beside an empty table that nothing differs; the table for people says so itself."""
    from autograd_inspect.renderers import diff as drawn

    if not found and printing.terminal is None:
        say(f"agi: {drawn.sameness(found)}")


def _draw(found: Diff, picture: Picture, results: Results) -> None:
    from autograd_inspect.api import render_diff

    drawing = render_diff(
        found,
        picture.format.value,
        limit=picture.selection.limit,
        everything=picture.selection.everything,
        reverse=picture.reverse,
        scale=picture.scale,
        tell=lambda note: say(f"agi: {note}"),
    )
    if picture.to_stdout:
        results.write(drawing)
        return
    output = picture.output or Path(f"diff.{picture.extension}")
    write_file(drawing, output, force=picture.force)
    say(f"wrote {output}")
    picture.show(output)
