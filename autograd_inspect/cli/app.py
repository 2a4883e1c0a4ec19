"""The commands and their options; what they do is in the file of their name.

A command function only says which verb was asked for: it returns it, to be carried out once the
command line library is done. Its docstring is its help.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autograd_inspect._version import __version__
from autograd_inspect.cli import options as opt
from autograd_inspect.cli.source import Keeping, Running
from autograd_inspect.cli.verb import Verb
from autograd_inspect.errors import UsageError

app = typer.Typer(
    name="agi",
    help="See the autograd graph of any PyTorch script.",
    epilog="Start with: agi trace train.py:loss",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "AGI"},
)

#: In the verbs that run programs, what follows the target belongs to the program.
PROGRAM = {"allow_interspersed_args": False, "ignore_unknown_options": False}


def read_command_line(arguments: Sequence[str]) -> Verb:
    """Read a command line; ends the process where it is wrong or asks for help."""
    from autograd_inspect.cli.config import defaults

    try:
        verb: Any = app(
            list(arguments),
            prog_name="agi",
            standalone_mode=False,
            default_map=defaults(Path.cwd(), options_of),
        )
    except typer.Abort:
        raise SystemExit(130) from None
    except Exception as error:
        # Usage errors of the command line library know how to print themselves.
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        raise SystemExit(2) from None
    if not callable(verb):  # help or version: printed already
        raise SystemExit(verb if isinstance(verb, int) else 0)
    chosen: Verb = verb
    return chosen


def options_of(command: str) -> dict[str, str]:
    """Give a command's options: by what follows the dashes, the name of the parameter."""
    group: Any = typer.main.get_command(app)
    found = group.commands.get(command)
    if found is None:
        raise UsageError(f"[tool.agi.{command}] in pyproject.toml: there is no such command")
    return {
        flag.removeprefix("--"): parameter.name
        for parameter in found.params
        for flag in parameter.opts
        if flag.startswith("--")
    }


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the command line library calls it
    if wanted:
        print(f"agi {__version__}")
        raise typer.Exit


@app.callback()
def agi(
    *,
    version: Annotated[
        bool,
        typer.Option("-V", "--version", callback=_print_version, is_eager=True, help="Say which."),
    ] = False,
) -> None:
    """See the autograd graph of any PyTorch script."""


@app.command(
    context_settings=PROGRAM,
    epilog="agi trace train.py:loss --lr 0.1   |   agi trace -m pkg.train   |   agi trace -c CODE",
)
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
    retain: opt.Retain = None,
    save_on_signal: opt.SaveOnSignal = None,
    rank: opt.Ranks = opt.Rank.ZERO,
    watch: opt.Watch = False,
    no_record: opt.NoRecord = False,
    output: opt.Output = None,
    force: opt.Force = False,
    everything: opt.Everything = False,
    depth: opt.Depth = None,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
    quiet: opt.Quiet = False,
) -> Verb:
    """Run a program, save a capture of its graph, and print the graph.

    Without :EXPR the first backward call is captured, and the program is stopped after it.
    """
    from autograd_inspect.cli.show import Showing
    from autograd_inspect.cli.trace import trace as carry_out

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        keep_running=keep_running,
        no_backward=no_backward,
        grad_output=grad_output,
        retain=retain or (),
        save_on_signal=save_on_signal,
        rank=rank,
        watch=watch,
        record=not no_record,
        quiet=quiet,
    )
    showing = Showing(everything, depth, ascii_only, width, color, quiet)
    keeping = Keeping(output, force=force)
    return lambda: carry_out(target, arguments or (), running, showing, keeping)


@app.command(epilog="agi show   |   agi show x.agi --all   |   agi show --cuts train.py:loss")
def show(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    cuts: opt.Cuts = False,
    json: opt.Json = False,
    everything: opt.Everything = False,
    depth: opt.Depth = None,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print the graph of a capture as a tree, root first; or the places that cut it."""
    from autograd_inspect.cli.show import Showing
    from autograd_inspect.cli.show import show as carry_out

    running = Running(module=module, code=code, expr=expr, step=step, watch=cuts)
    showing = Showing(everything, depth, ascii_only, width, color, cuts=cuts, json=json)
    return lambda: carry_out(source, arguments or (), running, showing)


@app.command(epilog="agi render --svg   |   agi render x.agi -o x.png   |   agi render --dot")
def render(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    output: opt.Output = None,
    format_: opt.FormatName = None,
    svg: opt.Svg = False,
    dot: opt.Dot = False,
    png: opt.Png = False,
    pdf: opt.Pdf = False,
    html: opt.Html = False,
    mermaid: opt.Mermaid = False,
    json: opt.Json = False,
    everything: opt.Everything = False,
    limit: opt.Limit = opt.DEFAULT_LIMIT,
    reverse: opt.Reverse = False,
    engine: opt.EngineName = opt.Engine.OWN,
    scale: opt.Scale = 2.0,
    force: opt.Force = False,
    open_: opt.Open = False,
) -> Verb:
    """Draw the graph: SVG, PNG, PDF, HTML, Graphviz DOT, Mermaid, or JSON for programs."""
    from autograd_inspect.cli.render import Picture
    from autograd_inspect.cli.render import render as carry_out

    wanted = [
        name
        for name, asked in {
            opt.Format.SVG: svg, opt.Format.DOT: dot, opt.Format.PNG: png, opt.Format.PDF: pdf,
            opt.Format.HTML: html, opt.Format.MERMAID: mermaid, opt.Format.JSON: json,
        }.items()
        if asked
    ]  # fmt: skip
    picture = Picture(
        formats=tuple(dict.fromkeys([*wanted, *([format_] if format_ else [])])),
        output=output,
        limit=None if everything else limit,
        reverse=reverse,
        engine=engine,
        scale=scale,
        force=force,
        open=open_,
    )
    running = Running(module=module, code=code, expr=expr, step=step)
    return lambda: carry_out(source, arguments or (), running, picture)


@app.command(epilog="agi grads --sort norm   |   agi grads train.py:loss --fail-on nan,none")
def grads(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    retain: opt.Retain = None,
    sort: opt.Sort = None,
    top: opt.Top = None,
    fail_on: opt.FailOn = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print what arrived at the leaves: norm, mean, zeros, NaN and Inf of every gradient."""
    from autograd_inspect.cli.grads import Reading
    from autograd_inspect.cli.grads import grads as carry_out
    from autograd_inspect.cli.tables import Printing

    running = Running(
        module=module, code=code, expr=expr, step=step, grad_output=grad_output, retain=retain or ()
    )
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    reading = Reading(printing, sort, top, fail_on or "")
    return lambda: carry_out(source, arguments or (), running, reading)


@app.command(epilog="agi memory   |   agi memory x.agi --by line   |   agi memory train.py:loss")
def memory(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    by: opt.Grouping = opt.By.OP,
    top: opt.Top = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print what is held for backward, by operation, module, line or tensor, largest first.

    "total" counts a storage once for each saved tensor in it; "unique" counts it once in all, where
    the node that saved it first in forward order belongs, so that the unique bytes add up.
    """
    from autograd_inspect.cli.memory import Weighing
    from autograd_inspect.cli.memory import memory as carry_out
    from autograd_inspect.cli.tables import Printing

    running = Running(module=module, code=code, expr=expr, step=step)
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    weighing = Weighing(printing, by.value, top)
    return lambda: carry_out(source, arguments or (), running, weighing)


@app.command(epilog="agi path fc1.weight   |   agi path '#12' x.agi   |   agi path x train.py:loss")
def path(
    tensor: opt.TensorName,
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    watch: opt.Watch = False,
    top: opt.PathTop = 3,
    json: opt.Json = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print the paths from a leaf, or any tensor with a name, to the root.

    Too many to print are counted; what all of them run through is printed, and the shortest.
    """
    from autograd_inspect.cli.path import Asking
    from autograd_inspect.cli.path import path as carry_out

    running = Running(module=module, code=code, expr=expr, step=step, watch=watch)
    asking = Asking(tensor, top, json, ascii_only, width, color)
    return lambda: carry_out(source, arguments or (), running, asking)


@app.command()
def ls() -> Verb:
    """List the recent captures, newest first."""
    from autograd_inspect.cli.captures import list_captures

    return list_captures


@app.command()
def info(source: opt.Source = None) -> Verb:
    """Print what a capture says of itself, as JSON."""
    from autograd_inspect.cli.captures import print_info

    return lambda: print_info(source)
