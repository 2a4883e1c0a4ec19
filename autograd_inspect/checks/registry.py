"""All rules there are: every file in `checks/rules/` lists its own as `RULES`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from autograd_inspect.checks import rules
from autograd_inspect.checks.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Give the rules in the order of their codes."""
    files = [import_module(f"{rules.__name__}.{one.name}") for one in _files()]
    found = [rule for file in files for rule in file.RULES]
    return tuple(sorted(found, key=lambda rule: rule.code))


def _files() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(rules.__path__))
