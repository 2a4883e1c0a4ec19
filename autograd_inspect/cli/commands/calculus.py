"""The verbs that differentiate functions of a program."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli.source import Running
from autograd_inspect.cli.verb import Verb


def functional(
    mode: opt.ModeOfDerivative,
    target: opt.FunctionTarget,
    arguments: opt.Arguments = None,
    *,
    inputs: opt.Inputs,
    v: opt.Vector = None,
    wrt: opt.Wrt = None,
    strategy: opt.StrategyName = opt.Strategy.REVERSE,
    vectorize: opt.Vectorize = False,
    no_check: opt.NoCheck = False,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.FunctionExpr = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
    output: opt.Output = None,
    force: opt.Force = False,
    ascii_only: opt.Ascii = False,
    width: opt.Width = None,
    color: opt.ColorWhen = opt.Color.AUTO,
) -> Verb:
    """Print derivatives of a function of a program, or their product with a vector.

    The program runs to its end; the function, --inputs and --v are evaluated among its variables.
    jacobian and hessian give whole matrices; vjp and vhp multiply them by --v from the left, jvp
    and hvp from the right. -o x.npz or x.safetensors writes the numbers. Where another way to
    compute them disagrees, the status is 1; where the function raises, it is 2.
    """
    from autograd_inspect.cli.functional import Deriving
    from autograd_inspect.cli.functional import functional as carry_out
    from autograd_inspect.cli.functions import Applying
    from autograd_inspect.cli.tables import Printing
    from autograd_inspect.run.target import parse_target

    printing = Printing(json, csv, output, force, ascii_only, width, color)
    deriving = Deriving(
        printing, mode, v or "", tuple(wrt or ()), strategy, vectorize, check=not no_check
    )

    def run() -> int:
        aim = parse_target(
            target, module=module, code=code, expression=expr, arguments=arguments or ()
        )
        return carry_out(Applying(aim, inputs), deriving)

    return run


def gradcheck(
    target: opt.Target,
    arguments: opt.Arguments = None,
    *,
    module: opt.Module = False,
    code: opt.Code = False,
    expr: opt.Expr = None,
    step: opt.Step = 1,
    grad_output: opt.GradOutput = None,
    inputs: opt.CheckedInputs = None,
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
