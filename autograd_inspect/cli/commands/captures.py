"""The verbs that tell which captures there are."""

from __future__ import annotations

from autograd_inspect.cli import options as opt
from autograd_inspect.cli.verb import Verb


def ls() -> Verb:
    """List the recent captures, newest first."""
    from autograd_inspect.cli.captures import list_captures

    return list_captures


def info(source: opt.Source = None) -> Verb:
    """Print what a capture says of itself, as JSON."""
    from autograd_inspect.cli.captures import print_info

    return lambda: print_info(source)


def rule(name: opt.RuleName = None, *, json: opt.Json = False) -> Verb:
    """Say what a rule of agi check means: why it is bad, an example, the repair.

    Without a name it lists all rules.
    """
    from autograd_inspect.cli.rule import rule as carry_out

    return lambda: carry_out(name, as_json=json)
