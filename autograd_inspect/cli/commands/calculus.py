"""The verbs that differentiate a function of a program."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
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
