"""The page of each rule, and the list of them all."""

from __future__ import annotations

from pathlib import Path

from autograd_inspect.checks.registry import all_rules
from autograd_inspect.checks.rule import Rule
from autograd_inspect.errors import UsageError

#: Where pages are: beside this file where the package is installed, else in the repository.
_FOLDERS = (Path(__file__).parent / "rule_pages", Path(__file__).parents[2] / "docs" / "rules")

_FAMILIES = {
    "1": "Errors",
    "2": "Missing gradients",
    "3": "NaN and Inf",
    "4": "Silent: zero, vanishing, exploding, the wrong place",
    "5": "Memory",
    "6": "Wrong gradients",
}


def page_of(rule: Rule) -> str:
    """Give the text of a rule's page; what the rule itself says where there is none."""
    for folder in _FOLDERS:
        path = folder / f"{rule.slug}.md"
        if path.is_file():
            return path.read_text("utf-8")
    return f"# {rule.code} {rule.slug}\n\n**{rule.title}.** Severity: {rule.severity.value}.\n"


def rule_named(name: str) -> Rule:
    """Find a rule by its code or slug; raises UsageError where there is none."""
    for rule in all_rules():
        if name.upper() == rule.code or name.lower() == rule.slug:
            return rule
    raise UsageError(f"there is no rule {name!r}", hint="agi rule lists them")


def index() -> str:
    """List all rules by family, as Markdown: what `docs/rules/README.md` holds."""
    lines = ["# Rules of `agi check`", "", "Written by `python -m autograd_inspect.checks.pages`."]
    for digit, family in _FAMILIES.items():
        rules = [rule for rule in _rules_once() if rule.code[3] == digit]
        if rules:
            lines += ["", f"## {family}", "", "| code | rule | severity | |", "|---|---|---|---|"]
            lines += [
                f"| {rule.code} | [{rule.slug}]({rule.slug}.md) | {rule.severity.value} "
                f"| {rule.title} |"
                for rule in rules
            ]
    return "\n".join(lines) + "\n"


def _rules_once() -> list[Rule]:
    """Give one rule for each slug: several may find the same kind of mistake."""
    return list({rule.slug: rule for rule in all_rules()}.values())


if __name__ == "__main__":
    (_FOLDERS[1] / "README.md").write_text(index(), "utf-8")
