"""`agi rule`: what a rule of `agi check` means, or which there are."""

from __future__ import annotations

import json

from autograd_inspect.cli.terminal import Results


def rule(name: str | None, *, as_json: bool) -> int:
    """Print the page of a rule, or a line for each of them."""
    from autograd_inspect.checks.pages import page_of, rule_named
    from autograd_inspect.checks.registry import all_rules

    rules = list({one.slug: one for one in all_rules()}.values()) if name is None else []
    chosen = [rule_named(name)] if name is not None else rules
    if as_json:
        objects = [
            {
                "code": one.code,
                "slug": one.slug,
                "severity": one.severity.value,
                "title": one.title,
                **({"page": page_of(one)} if name is not None else {}),
            }
            for one in chosen
        ]
        text = json.dumps({"schema": "agi.rule/1", "rules": objects}, indent=2, ensure_ascii=False)
    elif name is not None:
        text = page_of(chosen[0])
    else:
        width = max(len(one.slug) for one in chosen)
        text = "\n".join(f"{one.code}  {one.slug:{width}}  {one.title}" for one in chosen)
    Results().write(text)
    return 0
