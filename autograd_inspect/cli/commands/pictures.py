"""The verbs that show the graph of a capture."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli import selecting as sel
from autograd_inspect.cli.source import Running
from autograd_inspect.cli.verb import Verb


def show(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
    cuts: opt.Cuts = False,
    json: opt.Json = False,
    everything: opt.Everything = False,
    depth: opt.ShownDepth = None,
    expand: sel.Expand = None,
    views: sel.Views = False,
    focus: sel.Focus = None,
    radius: sel.Radius = sel.RADIUS,
    path: sel.PathFrom = None,
    include: sel.Include = None,
    exclude: sel.Exclude = None,
    tree: sel.Tree = False,
    columns: sel.Columns = None,
    tui: sel.Tui = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print the graph of a capture, root first, folded to the screen; or the places that cut it.

    Rails on the left lead from every operation to what it uses.
    """
    from autograd_inspect.cli.show import Showing, listed
    from autograd_inspect.cli.show import show as carry_out

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        grad_output=grad_output,
        probe=probe,
        watch=cuts,
    )
    showing = Showing(
        sel.selection(
            everything=everything,
            depth=depth,
            expand=expand,
            views=views,
            focus=focus,
            radius=radius,
            path=path,
            include=include,
            exclude=exclude,
        ),
        tree=tree,
        columns=listed(columns),
        ascii=ascii_only,
        width=width,
        color=color,
        cuts=cuts,
        json=json,
        tui=tui,
    )
    return lambda: carry_out(source, arguments or (), running, showing)


def render(
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
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
    depth: sel.Levels = None,
    expand: sel.Expand = None,
    views: sel.Views = False,
    focus: sel.Focus = None,
    radius: sel.Radius = sel.RADIUS,
    path: sel.PathFrom = None,
    include: sel.Include = None,
    exclude: sel.Exclude = None,
    limit: sel.Limit = None,
    link: opt.Link = None,
    reverse: opt.Reverse = False,
    engine: opt.EngineName = opt.Engine.OWN,
    scale: opt.Scale = 2.0,
    color: opt.ColorBy = opt.Coloring.KIND,
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
        selection=sel.selection(
            everything=everything,
            depth=depth,
            expand=expand,
            views=views,
            focus=focus,
            radius=radius,
            path=path,
            include=include,
            exclude=exclude,
            limit=limit,
        ),
        link=link or "",
        reverse=reverse,
        engine=engine,
        scale=scale,
        color=color,
        force=force,
        open=open_,
    )
    running = Running(
        module=module, code=code, expr=expr, step=step, grad_output=grad_output, probe=probe
    )
    return lambda: carry_out(source, arguments or (), running, picture)


def path(
    tensor: opt.TensorName,
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
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

    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        grad_output=grad_output,
        probe=probe,
        watch=watch,
    )
    asking = Asking(tensor, top, json, ascii_only, width, color)
    return lambda: carry_out(source, arguments or (), running, asking)


def why(
    tensor: opt.TensorName,
    source: opt.Source = None,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    probe: opt.ProbeLevel = None,
    json: opt.Json = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Say why a tensor has no gradient, a zero one, one that is not finite, or the one it has.

    With the way of its gradient and where it dies, or the line that cut it off.
    """
    from autograd_inspect.cli.path import Asking
    from autograd_inspect.cli.why import why as carry_out

    asking = Asking(tensor=tensor, top=1, json=json, ascii=ascii_only, width=width, color=color)
    running = Running(
        module=module,
        code=code,
        expr=expr,
        step=step,
        grad_output=grad_output,
        probe=probe,
        watch=True,
    )
    return lambda: carry_out(source, arguments or (), running, asking)
