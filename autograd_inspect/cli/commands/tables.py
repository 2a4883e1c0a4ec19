"""The verbs that answer with a table."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli.source import Running
from autograd_inspect.cli.verb import Verb


def grads(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
    retain: opt.Retain = None,
    nodes: opt.AtNodes = False,
    sort: opt.Sort = None,
    top: opt.Top = None,
    fail_on: opt.FailOn = None,
    plot: opt.PlotFile = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print what arrived at the leaves: norm, mean, zeros, NaN and Inf of every gradient.

    With --nodes, what passed through every node, in the order that backward ran them.
    """
    from autograd_inspect.cli.grads import Reading
    from autograd_inspect.cli.grads import grads as carry_out
    from autograd_inspect.cli.plots import Plot
    from autograd_inspect.cli.tables import Printing

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        grad_output=grad_output,
        probe=probe,
        retain=retain or (),
        curves=plot is not None,
    )
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    drawing = Plot(plot, force=force) if plot else None
    reading = Reading(printing, sort, top, fail_on or "", nodes, drawing)
    return lambda: carry_out(source, arguments or (), running, reading)


def memory(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
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

    running = Running(
        module=module, code=code, expr=expr, step=step, grad_output=grad_output, probe=probe
    )
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    weighing = Weighing(printing, by.value, top)
    return lambda: carry_out(source, arguments or (), running, weighing)
