"""The verbs that differentiate functions of a program."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli.source import Running
from autograd_inspect.cli.verb import Verb


def gradcheck(
    target: opt.Target,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    inputs: opt.Inputs = None,
    second: opt.Second = None,
    fast: opt.Fast = False,
    eps: opt.Eps = None,
    atol: opt.Atol = None,
    rtol: opt.Rtol = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Check backwards against numeric derivatives; exits with 1 where one is wrong.

    The program runs to its backward call, and each custom Function in its graph is checked with the
    inputs it had and the gradient that came to it. With --inputs it runs to its end, and the
    function behind the colon is checked instead: train.py:f --inputs "torch.randn(3)".
    """
    from autograd_inspect.cli.gradcheck import Checking
    from autograd_inspect.cli.gradcheck import gradcheck as carry_out
    from autograd_inspect.cli.tables import Printing

    running = Running(
        module=module, code=code, expr=expr, step=step, grad_output=grad_output, custom=True
    )
    printing = Printing(json, csv, output, force, ascii_only, width, color)
    checking = Checking(printing, second, fast, eps, atol, rtol)
    return lambda: carry_out(target, arguments or (), running, checking, inputs)
