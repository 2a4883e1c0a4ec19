"""The verb that compares two captures."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli import selecting as sel
from autograd_inspect.cli.source import Running
from autograd_inspect.cli.verb import Verb
from autograd_inspect.model.diff import ASPECTS, TOLERANCE, USUAL


def diff(
    before: opt.Before,
    after: opt.After = None,
    arguments: opt.BothArguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.StepOfEach = None,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
    what: opt.Aspects = USUAL,
    tolerance: opt.Tolerance = TOLERANCE,
    exit_code: opt.ExitCode = False,
    top: opt.Top = None,
    everything: opt.AllDifferences = False,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    svg: opt.Svg = False,
    dot: opt.Dot = False,
    png: opt.Png = False,
    pdf: opt.Pdf = False,
    html: opt.Html = False,
    mermaid: opt.Mermaid = False,
    limit: sel.Limit = None,
    reverse: opt.Reverse = False,
    scale: opt.Scale = 2.0,
    open_: opt.Open = False,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print what changed from one graph to another: nodes, leaves, shapes, memory, gradients.

    Nodes are matched by the modules and calls that made them, and by what runs around them. With
    --svg, --png, --pdf, --html, --dot or --mermaid, or such an -o FILE, the change is drawn.
    """
    from autograd_inspect.cli.diff import Comparing, Sources, both, picture_of
    from autograd_inspect.cli.diff import diff as carry_out
    from autograd_inspect.cli.render import Picture
    from autograd_inspect.cli.tables import Printing
    from autograd_inspect.model.selection import Selection

    wanted = {
        opt.Format.SVG: svg, opt.Format.DOT: dot, opt.Format.PNG: png, opt.Format.PDF: pdf,
        opt.Format.HTML: html, opt.Format.MERMAID: mermaid,
    }  # fmt: skip
    picture = Picture(
        formats=tuple(name for name, asked in wanted.items() if asked),
        output=output,
        selection=Selection(everything=everything, limit=limit),
        reverse=reverse,
        scale=scale,
        force=force,
        open=open_,
    )
    running = Running(module=module, code=code, expr=expr, grad_output=grad_output, probe=probe)
    comparing = Comparing(
        printing=Printing(json, csv, output, force, ascii_only, width, color),
        what=ASPECTS if what == "all" else tuple(word.strip() for word in what.split(",")),
        tolerance=tolerance,
        top=top,
        everything=everything,
        exit_code=exit_code,
        picture=picture_of(picture, table=json or csv),
    )
    sources = Sources(before, after, tuple(arguments or ()), both(running, step or ()))
    return lambda: carry_out(sources, comparing)
