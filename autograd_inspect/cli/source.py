"""SOURCE: a capture file, a program to run and capture, or the last capture."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_inspect.cli.functions import check_expression
from autograd_inspect.cli.options import Rank
from autograd_inspect.cli.terminal import check_free, say
from autograd_inspect.errors import AgiError, UsageError
from autograd_inspect.model.levels import Probe
from autograd_inspect.run.target import Target, parse_target

if TYPE_CHECKING:  # these import numpy, which reads its environment variables when it is imported
    from autograd_inspect.model.capture import About, Capture
    from autograd_inspect.tracing.session import Outcome

#: Captures kept in the folder of recent ones.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Running:
    """How to run a program, as the options say."""

    module: bool = False
    code: bool = False
    expr: str | None = None
    step: int = 1
    keep_running: bool = False
    no_backward: bool = False
    grad_output: str | None = None
    retain: Sequence[str] = ()
    save_on_signal: str | None = None
    rank: Rank = Rank.ZERO
    watch: bool = False
    curves: bool = False
    record: bool = True
    probe: Probe | None = None
    custom: bool = False
    quiet: bool = False
    profile: bool = False
    all_threads: bool = False
    chrome: Path | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where to save a capture; without `output`, among the recent ones."""

    output: Path | None = None
    force: bool = False


@dataclass(slots=True)
class Keeper:
    """Saves captures the moment they are taken, whatever becomes of the program afterwards."""

    target: Target
    start: Path
    keeping: Keeping
    paths: list[Path] = field(default_factory=list)
    _saved: About | None = None

    def keep(self, capture: Capture) -> None:
        """Save where the user said, or as the newest of the recent captures."""
        from autograd_inspect import store

        folder = store.captures_dir(self.start)
        rank = capture.about.rank
        path = self.keeping.output
        about = replace(capture.about, profile=None)
        if self.paths and self._saved == about:
            path = self.paths[-1]  # the same capture, with what was seen since
        elif path is None:
            path = store.new_path(folder, self.target.stem, rank=rank)
        elif rank:
            path = path.with_name(f"{path.stem}-rank{rank}{path.suffix}")
        # A second capture of the same run replaces the first: the name was ours already.
        store.save(capture, path, force=self.keeping.force or path in self.paths)
        self.paths.append(path)
        self._saved = about
        if self.keeping.output is None:
            store.prune(folder, KEPT)


def obtain(
    source: str | None,
    arguments: Sequence[str],
    running: Running,
    use: Callable[[Capture, Path | None], int],
) -> int:
    """Get the capture that SOURCE stands for and use it; gives the exit status.

    Where SOURCE is a program, the process ends as the program ends if it fails.
    """
    if source is None or not is_program(source, running):
        if arguments:
            raise UsageError(
                f"{arguments[0]}: arguments are for a program, and there is none to run"
            )
        from autograd_inspect import store

        path = store.last(store.captures_dir(Path.cwd())) if source is None else Path(source)
        return use(store.load(path), path)
    return run_and_use(read_target(source, arguments, running), running, use=use)


def is_program(source: str | None, running: Running) -> bool:
    """Tell whether SOURCE is to be run, rather than read."""
    if source is None:
        return False
    return running.module or running.code or not looks_like_capture(source)


def looks_like_capture(source: str) -> bool:
    """Tell a capture from a program by its name, or by how the file begins."""
    path = Path(source)
    if source.endswith(".agi"):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return start.startswith(b"PK") and b"capture.json" in start


def read_target(text: str, arguments: Sequence[str], running: Running) -> Target:
    """Read what is to be run, with the expression that comes with it."""
    return parse_target(
        text,
        module=running.module,
        code=running.code,
        expression=running.expr,
        arguments=arguments,
    )


def run_and_use(
    target: Target,
    running: Running,
    *,
    use: Callable[[Capture, Path | None], int],
    keeping: Keeping = Keeping(),
    see: Callable[[Outcome], None] = lambda _: None,
) -> int:
    """Run a program, save what is captured, and use the last capture once it is over.

    `see` is shown before what came of the run.
    The program's own ending counts first: if it failed, this ends the process as python would.
    """
    from autograd_inspect.run.imports import our_imports
    from autograd_inspect.run.loader import finish
    from autograd_inspect.tracing.session import Session

    start = Path.cwd()
    if keeping.output is not None:
        check_free(keeping.output, force=keeping.force)
        keeping = replace(keeping, output=keeping.output.absolute())
    keeper = Keeper(target, start, keeping)
    captures: list[Capture] = []

    def take(capture: Capture) -> None:
        captures.append(capture)
        keeper.keep(capture)

    def tell(remark: str) -> None:
        say(f"agi: {remark}", quiet=running.quiet)

    outcome = Session(_request(target, running, start), take, tell).run()
    status = 0
    with our_imports():
        for remark in misplaced_options(target):
            tell(remark)
        see(outcome)
        if captures:
            # Where it could not be saved, which is said below, it is shown all the same.
            status = use(captures[-1], keeper.paths[-1] if keeper.paths else None)
        trouble = explain(outcome.trouble)
    if outcome.run.status or not (trouble or status):
        finish(outcome.run)
    return trouble or status


def misplaced_options(target: Target) -> list[str]:
    """Notice our own options behind the target, where they went to a program that ignores them."""
    ours = {
        *("--step", "--keep-running", "--retain", "--grad-output", "--no-backward", "--expr"),
        "--probe",
    }
    found = [word for word in target.arguments if word.partition("=")[0] in ours]
    if not found:
        return []
    return [f"{' '.join(found)} went to {target.name}: options of agi go before the target"]


def explain(trouble: BaseException | None) -> int:
    """Print why there is no capture, and give the status that stands for it."""
    from autograd_inspect.cli import complain, report_bug

    if trouble is None:
        return 0
    return complain(trouble) if isinstance(trouble, AgiError) else report_bug(trouble)


def _request(target: Target, running: Running, start: Path) -> Any:
    from autograd_inspect.tracing.session import Request

    if running.watch and not running.record:
        raise UsageError("--watch and --no-record: one at a time")
    on_signal = _signal_number(running.save_on_signal)
    for name, text in (("--grad-output", running.grad_output), *_named_retains(running)):
        check_expression(name, text)
    return Request(
        target=target,
        start=start,
        step=running.step,
        keep_running=running.keep_running or bool(on_signal),
        retain=tuple(running.retain),
        backward=not running.no_backward,
        grad_output=running.grad_output or "",
        save_on_signal=on_signal,
        all_ranks=running.rank is Rank.ALL,
        record=running.record,
        watch=running.watch,
        probe=running.probe,
        curves=running.curves,
        profile=running.profile,
        all_threads=running.all_threads,
        chrome=running.chrome.absolute() if running.chrome else None,
        custom=running.custom,
    )


def _named_retains(running: Running) -> list[tuple[str, str | None]]:
    return [("--retain", name) for name in running.retain]


def _signal_number(name: str | None) -> int:
    if name is None:
        return 0
    found = getattr(signal, "SIG" + name.upper().removeprefix("SIG"), None)
    if not isinstance(found, signal.Signals) or name.upper().removeprefix("SIG") in {
        "KILL",
        "STOP",
    }:
        raise UsageError(f"--save-on-signal {name}: no such signal here", hint="USR1 is the usual")
    return int(found)
