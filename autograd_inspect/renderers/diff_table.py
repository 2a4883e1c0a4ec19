"""What changed from one capture to another, exactly: for a pipe, as CSV, as JSON.

    {"schema": "agi.diff/1",
     "before": {"target", "expression", ...}, "after": {...},
     "compared": ["structure", ...], "tolerance",
     "totals": {"added", "removed", "changed", "drifted", "rewired",
                "nodes": [before, after], "edges", "leaves", "held"},
     "renamed": [{"before": {"name", "class"}, "after"}], "notes": [...],
     "rows": [{"mark": "~", "op", "leaf", "module", "before": node, "after": node,
               "changes": [{"fact", "before", "after"}]}]}

"changed" counts nodes in which more than the gradient differs, "drifted" those whose gradient does,
"rewired" edges that lead elsewhere. Sizes are in bytes, times in nanoseconds. Nodes are numbered as
in their captures, null where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograd_inspect.model.diff import ADDED, CHANGED, REMOVED, Diff, Difference
from autograd_inspect.model.places import Module
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.text import exact, safe

SCHEMA = "agi.diff/1"

_WORDS = {ADDED: "added", REMOVED: "removed", CHANGED: "changed"}
_HEADINGS = ("mark", "op", "name", "module", "before", "after", "fact", "was", "is")


def tabbed(diff: Diff) -> str:
    """Write a line per fact that differs, tab-separated, under one line of headings."""
    return sheet.tabbed(_exact_values(diff))


def csv(diff: Diff) -> str:
    """Write CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(diff))


def to_json(diff: Diff) -> str:
    """Write one JSON object, each node that differs in a line."""
    totals = diff.totals
    head: dict[str, object] = {
        "schema": SCHEMA,
        "before": sheet.about(diff.before),
        "after": sheet.about(diff.after),
        "compared": list(diff.compared),
        "tolerance": diff.tolerance,
        "totals": {
            **{word: diff.count(mark) for mark, word in _WORDS.items()},
            "drifted": diff.drifted,
            "rewired": diff.rewired,
            **{name: list(getattr(totals, name)) for name in ("nodes", "edges", "leaves", "held")},
        },
        "renamed": [
            {"before": _module_json(one.before), "after": _module_json(one.after)}
            for one in diff.renamed
        ],
        "notes": list(diff.notes),
    }
    return sheet.to_json(head, map(_as_json, diff.differences))


def _exact_values(diff: Diff) -> Iterator[Sequence[str]]:
    yield _HEADINGS
    for one in diff.differences:
        node = one.node
        name = node.leaf.name if node.leaf else node.variable
        module = node.call.module.full_name if node.call else ""
        numbers = [str(side.index) if side else "" for side in (one.before, one.after)]
        row = [one.mark, node.op, name, module, *numbers]
        for contrast in one.contrasts or (None,):
            values = (contrast.fact.label, contrast.before, contrast.after) if contrast else ("",)
            yield [safe(text) for text in (*row, *map(_exact, values))] + [""] * (
                0 if contrast else 2
            )
    for change in diff.renamed:
        names = change.before.full_name, change.after.full_name
        classes = change.before.cls, change.after.cls
        kinds = (("name", names), ("class", classes))
        for fact, (was, now) in kinds:
            if was != now:
                row = [CHANGED, "", "", names[0], "", "", f"module {fact}", was, now]
                yield list(map(safe, row))


def _exact(value: str | float) -> str:
    return value if isinstance(value, str) else exact(value)


def _as_json(one: Difference) -> dict[str, object]:
    node = one.node
    return {
        "mark": one.mark,
        "op": node.op,
        "leaf": node.leaf.name if node.leaf else None,
        "module": node.call.module.full_name if node.call else None,
        "before": one.before.index if one.before else None,
        "after": one.after.index if one.after else None,
        "changes": [
            {
                "fact": contrast.fact.label,
                "before": sheet.number(contrast.before),
                "after": sheet.number(contrast.after),
            }
            for contrast in one.contrasts
        ],
    }


def _module_json(module: Module) -> dict[str, str]:
    return {"name": module.full_name, "class": module.cls}
