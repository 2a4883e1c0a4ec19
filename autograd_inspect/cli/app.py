"""The command line: which commands there are, in the order that `agi --help` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autograd_inspect._version import __version__
from autograd_inspect.cli.commands import calculus, captures, pictures, programs, tables
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


app.command(
    context_settings=PROGRAM,
    epilog="agi trace train.py:loss --lr 0.1   |   agi trace -m pkg.train   |   agi trace -c CODE",
)(programs.trace)
app.command(
    context_settings=PROGRAM,
    epilog="agi train train.py   |   agi train --steps 200 --show 'fc.bias[0:4]' train.py --lr 0.1",
)(programs.train)
app.command(
    context_settings=PROGRAM,
    epilog="agi check train.py   |   agi check --json -o x.json train.py   |   "
    "agi check --select AGI1 train.py --lr 0.1",
)(programs.check)
app.command(
    epilog="agi show   |   agi show x.agi --all   |   agi show --cuts train.py:loss",
)(pictures.show)
app.command(
    epilog="agi render --svg   |   agi render x.agi -o x.png   |   agi render --dot",
)(pictures.render)
app.command(
    epilog="agi grads --sort norm   |   agi grads train.py:loss --fail-on nan,none",
)(tables.grads)
app.command(
    epilog="agi memory   |   agi memory x.agi --by line   |   agi memory train.py:loss",
)(tables.memory)
app.command(
    context_settings=PROGRAM,
    epilog="agi profile train.py:loss   |   agi profile --step 3 --by line train.py --lr 0.1",
)(programs.profile)
app.command(
    epilog="agi path fc1.weight   |   agi path '#12' x.agi   |   agi path x train.py:loss",
)(pictures.path)
app.command(
    epilog="agi functional jacobian train.py:f --inputs '(x, y)'   |   "
    "agi functional hvp train.py:f --inputs x --v v   |   "
    "agi functional jacobian train.py:model --inputs batch --wrt fc1.weight -o x.npz",
)(calculus.functional)
app.command(
    epilog="agi gradcheck train.py   |   agi gradcheck x.py:f --inputs 'torch.randn(3)'",
)(calculus.gradcheck)
app.command(epilog="agi rule   |   agi rule AGI101   |   agi rule inplace_on_saved")(captures.rule)
app.command()(captures.ls)
app.command()(captures.info)
