"""The verbs that run a program: what follows the target belongs to it."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli import selecting as sel
from autograd_inspect.cli.source import Keeping, Running, read_target
from autograd_inspect.cli.verb import Verb


def trace(
    target: opt.Target,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    keep_running: opt.KeepRunning = False,
    no_backward: opt.NoBackward = False,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
    retain: opt.Retain = None,
    save_on_signal: opt.SaveOnSignal = None,
    rank: opt.Ranks = opt.Rank.ZERO,
    watch: opt.Watch = False,
    no_record: opt.NoRecord = False,
    output: opt.Output = None,
    force: opt.Force = False,
    everything: opt.Everything = False,
    depth: opt.ShownDepth = None,
    tree: sel.Tree = False,
    columns: sel.Columns = None,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
    quiet: opt.Quiet = False,
) -> Verb:
    """Run a program, save a capture of its graph, and print the graph.

    Without :EXPR the first backward call is captured, and the program is stopped after it.
    """
    from autograd_inspect.cli.show import Showing, listed
    from autograd_inspect.cli.trace import trace as carry_out
    from autograd_inspect.model.selection import Selection

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        keep_running=keep_running,
        no_backward=no_backward,
        grad_output=grad_output,
        probe=probe,
        retain=retain or (),
        save_on_signal=save_on_signal,
        rank=rank,
        watch=watch,
        record=not no_record,
        quiet=quiet,
    )
    showing = Showing(
        Selection(depth=depth, everything=everything),
        tree=tree,
        columns=listed(columns),
        ascii=ascii_only,
        width=width,
        color=color,
        quiet=quiet,
    )
    keeping = Keeping(output, force=force)
    return lambda: carry_out(target, arguments or (), running, showing, keeping)


def train(
    target: opt.Target,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    steps: opt.Steps = 20,
    keep_running: opt.KeepTraining = False,
    by: opt.TrainGrouping = opt.TrainBy.GROUP,
    show: opt.ShowValues = None,
    plot: opt.PlotFile = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
    quiet: opt.Quiet = False,
) -> Verb:
    """Run a program that trains, and print what each step of its optimizers did.

    After N steps the program is stopped. Every call of an optimizer's step counts as one; "live"
    are graphs of earlier steps that are still alive.
    """
    from autograd_inspect.cli.plots import Plot
    from autograd_inspect.cli.tables import Printing
    from autograd_inspect.cli.train import Watching
    from autograd_inspect.cli.train import train as carry_out

    printing = Printing(json, csv, output, force, ascii_only, width, color)
    drawing = Plot(plot, force=force) if plot else None
    watching = Watching(printing, steps, keep_running, by.value, show or (), drawing, quiet)
    running = Running(module=module, code=code)
    return lambda: carry_out(read_target(target, arguments or (), running), watching)


def profile(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    keep_running: opt.KeepRunning = False,
    grad_output: opt.GradOutput = None,
    no_record: opt.NoRecord = False,
    all_threads: opt.AllThreads = False,
    by: opt.TimeGrouping = opt.TimeBy.OP,
    top: opt.Top = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    chrome: opt.Chrome = None,
    speedscope: opt.Speedscope = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Time a step of a program, forward and backward, by operation, module, line or node.

    The step ends with the backward call that is captured and begins after the one before, or when
    the program has imported torch. Of a capture it prints the times that were taken with it.
    """
    from autograd_inspect.cli.profile import Timing
    from autograd_inspect.cli.profile import profile as carry_out
    from autograd_inspect.cli.tables import Printing

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        keep_running=keep_running,
        grad_output=grad_output,
        record=not no_record,
        profile=True,
        all_threads=all_threads,
        chrome=chrome,
    )
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    timing = Timing(printing, by.value, top, speedscope)
    return lambda: carry_out(source, arguments or (), running, timing)


def check(
    target: opt.Target,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    select: opt.Select = None,
    ignore: opt.Ignore = None,
    steps: opt.CheckSteps = 20,
    time_limit: opt.TimeLimit = 300.0,
    exit_zero: opt.ExitZero = False,
    json: opt.Json = False,
    format: opt.CheckFormatName = opt.CheckFormat.TEXT,  # noqa: A002 - named as the option
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
    verbose: opt.Verbose = False,
    quiet: opt.Quiet = False,
) -> Verb:
    """Run a program and say what is wrong with it, and which line did it.

    Exits 1 where an error or a warning was found. `# agi: ignore[AGI101]` on a line leaves out what
    would be said of it.
    """
    from autograd_inspect.checks.choice import Choice
    from autograd_inspect.cli.check import Checking
    from autograd_inspect.cli.check import check as carry_out
    from autograd_inspect.cli.tables import Printing

    checking = Checking(
        Printing(json, False, output, force, ascii_only, width, color),
        format=format,
        choice=Choice(opt.listed(select), opt.listed(ignore)),
        exit_zero=exit_zero,
        verbose=verbose,
        quiet=quiet,
        steps=steps,
        time_limit=time_limit,
    )
    running = Running(module=module, code=code)
    return lambda: carry_out(read_target(target, arguments or (), running), checking)
