"""How gradients compare with numeric derivatives: for a terminal, a pipe, as CSV, as JSON.

    {"schema": "agi.gradcheck/1",
     "capture": {"target", "expression", ...},
     "findings": 1, "custom": 2, "dropped": 0, "ignored": [{"name", "slug", "file", "line"}],
     "rows": [{"function", "file", "line", "module", "node", "call", "calls", "precision",
               "upstream", "gradcheck", "gradgradcheck", "once", "finding", "unchecked",
               "faults": [{"slug", "at"}],
               "inputs": [{"name", "order", "shape", "dtype", "verdict", "slug", "cause",
                           "factor", "other", "checked", "total", "wrong", "kinks",
                           "element", "output", "analytic", "numeric", "difference",
                           "tolerance"}]}]}

"capture" is null where a function was named to be checked. The element is the one that is furthest
off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradcheck import (
    PASSES,
    Cause,
    Element,
    Fault,
    FunctionCheck,
    Gradcheck,
    InputCheck,
    Verdict,
)
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import Glyphs, Segment, counted, figure, glyphs, paint, safe

SCHEMA = "agi.gradcheck/1"

Row = tuple[FunctionCheck, InputCheck | None]

_STYLES = {
    Verdict.OK: "green",
    Verdict.WRONG: "bold red",
    Verdict.LATENT: "bold red",
}
_DISPENSABLE = ("gradcheck", "shape", "at", "numeric", "analytic")


def render(
    found: Gradcheck,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay the table out for a terminal, below it a line for each thing to know, and the sum."""
    if not found.checks:
        return ""
    signs = glyphs(ascii=ascii)
    table = _sheet(found, signs).render(list(found.rows), width=width, color=color)
    said = [paint([line], color=color) + "\n" for line in _sentences(found, signs)]
    told = f"{''.join(said)}\n" if said else ""
    return f"{table}\n{told}{sheet.in_a_line(_sums(found), signs.dot, color=color)}"


def remarks(found: Gradcheck) -> Iterator[str]:
    """Say what the table does not."""
    for name, place in found.ignored:
        where = f"{safe(name)} ({safe(place.short)})"
        yield f"{where} is never called: autograd knows the backward of a Function, not of a module"
    if not found.checks and not found.dropped and found.custom >= 0:
        yield "no custom Function in the captured graph: all its backwards are torch's own"
    if found.dropped:
        calls = counted(found.dropped, "call")
        yield f"not checked: {calls} of custom Functions whose inputs could not be kept"


def tabbed(found: Gradcheck) -> str:
    """Write a line for each input as tab-separated values under one line of headings."""
    return sheet.tabbed(_exact_values(found))


def csv(found: Gradcheck) -> str:
    """Write the rows as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(found))


def to_json(found: Gradcheck, capture: Capture | None) -> str:
    """Write everything as one JSON object, each function in a line."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        "capture": sheet.about(capture) if capture else None,
        "findings": found.findings,
        "custom": found.custom if found.custom >= 0 else None,
        "dropped": found.dropped,
        "ignored": [
            {"name": name, "slug": "module_backward_ignored", "file": at.file, "line": at.line}
            for name, at in found.ignored
        ],
    }
    return sheet.to_json(head, map(_as_json, found.checks))


def _sheet(found: Gradcheck, signs: Glyphs) -> Sheet[Row]:
    ascii_only = signs.rail.isascii()

    def told(text: Callable[[InputCheck], str]) -> Callable[[Row], str]:
        return lambda row: safe(text(row[1]), ascii=ascii_only) if row[1] else ""

    def by_worst(text: Callable[[Element], str]) -> Callable[[Row], str]:
        return lambda row: text(row[1].worst) if row[1] and row[1].worst else ""

    def named(row: Row) -> str:
        return safe(row[0].name, ascii=ascii_only)

    def placed(row: Row) -> str:
        return _where(row[0], plain=ascii_only)

    outputs = any(one and one.worst and one.worst.output for _, one in found.rows)
    orders = any(one and one.order > 1 for _, one in found.rows)
    in_a_run = any(check.place for check in found.checks)
    columns: list[Column[Row]] = [
        Column("function", named, right=False, figure=False),
        *([Column("at", placed, right=False, figure=False)] if in_a_run else []),
        Column("input", told(lambda one: one.name), lambda _: "cyan", right=False),
        *([Column("order", told(lambda one: str(one.order)))] if orders else []),
        Column("shape", told(_shape), right=False),
        Column("verdict", told(lambda one: one.verdict.value), _style, right=False),
        Column("element", by_worst(_index), right=False),
        *([Column("of", by_worst(lambda one: one.output), right=False)] if outputs else []),
        Column("analytic", by_worst(lambda one: figure(one.analytic))),
        Column("numeric", by_worst(lambda one: figure(one.numeric))),
        Column("gradcheck", _torchs, lambda _: "dim", right=False),
    ]  # fmt: skip
    return Sheet(columns, (), _DISPENSABLE, lambda row: _instead(row, plain=ascii_only))


def _instead(row: Row, *, plain: bool) -> str:
    check, one = row
    if one is not None:
        return ""
    if check.unchecked:
        return f"not checked: {safe(check.unchecked, ascii=plain)}"
    return ", ".join(_FAULTS[fault].partition("{")[0].strip() for fault, _ in check.faults)


def _style(row: Row) -> str:
    return _STYLES.get(row[1].verdict, "yellow") if row[1] else ""


def _torchs(row: Row) -> str:
    check, one = row
    said = check.second if one and one.order > 1 else check.plain
    return said if said in {"", PASSES} else "fails"


def _where(check: FunctionCheck, *, plain: bool) -> str:
    place = safe(check.place.short, ascii=plain) if check.place else ""
    return f"{place} call {check.call} of {check.calls}" if check.calls > 1 else place


def _shape(one: InputCheck) -> str:
    return f"[{', '.join(map(str, one.shape))}]"


def _index(one: Element) -> str:
    return f"[{', '.join(map(str, one.index))}]"


def _sentences(found: Gradcheck, signs: Glyphs) -> Iterator[Segment]:
    """Say in a line each what is wrong, and what is another but on purpose."""
    plain = signs.rail.isascii()
    for check in found.checks:
        name = safe(check.name, ascii=plain)
        name += f" ({_where(check, plain=plain)})" if check.place else ""
        for one in check.inputs:
            text = _about_input(one, check)
            if text:
                style = "bold red" if one.verdict.is_finding else "yellow"
                yield f"{name}: {safe(text, ascii=plain)}", style
        for fault, at in check.faults:
            text = _FAULTS[fault].format(at=at)
            yield f"{name}: {safe(text, ascii=plain)}", "bold red" if fault.is_finding else "yellow"
        if check.only_torch_objects:
            for which, said in (("gradcheck", check.plain), ("gradgradcheck", check.second)):
                if said not in {"", PASSES}:
                    yield f"{name}: torch.autograd.{which}: {safe(said, ascii=plain)}", "bold red"
        if check.once:
            yield f"{name}: not differentiable twice: {safe(check.once, ascii=plain)}", "yellow"
        if check.precision != "float64" and not check.unchecked:
            text = f"compared in {check.precision}: its forward does not compute in float64"
            yield f"{name}: {text}", "dim"


_FAULTS = {
    Fault.MUTATES_SAVED: "its backward writes to {at}, which other nodes read",
    Fault.MUTATES_BUFFER: "its backward writes to {at} that it saved: a second one goes wrong",
    Fault.MUTATES_GRAD_OUTPUT: "its backward writes to the gradient it is given",
    Fault.OVERWRITTEN: "{at} was overwritten between its forward and its backward in this run",
    Fault.NOT_DETERMINISTIC: "its backward gives another gradient each time",
    Fault.RAISES: "its backward raised: {at}",
}


def _about_input(one: InputCheck, check: FunctionCheck) -> str:
    """Say what is the matter with the gradient of an input; empty for nothing."""
    if one.verdict is Verdict.STRAIGHT_THROUGH:
        return (
            f"the forward is constant between its steps in {one.name}: a straight-through gradient"
        )
    if one.verdict is Verdict.BY_DESIGN:
        by = f", by the factor {figure(one.factor)}" if one.factor is not None else ""
        return f"the gradient of {one.name} is another than that of the forward{by}: by design"
    if one.verdict is Verdict.KINK:
        which = "derivative" if one.order == 1 else "second derivative"
        return f"there is no {which} by {one.name} here: left and right differ"
    if not one.verdict.is_finding:
        return ""
    here = (
        "" if one.verdict is Verdict.WRONG else "; right with the gradient of this run, by chance"
    )
    passes = one.order == 1 and check.plain == PASSES
    missed = "; torch.autograd.gradcheck passes it" if passes else ""
    what = "gradient" if one.order == 1 else "second derivative by"
    of = "of " if one.order == 1 else ""
    return f"the {what} {of}{one.name} {_cause(one)}{here}{missed}"


def _cause(one: InputCheck) -> str:
    factor = figure(one.factor) if one.factor is not None else ""
    return {
        Cause.IGNORES_GRAD_OUTPUT: "does not depend on grad_output: multiply by it",
        Cause.SIGN: "has the wrong sign",
        Cause.FACTOR: f"is {factor} times what it should be",
        Cause.TRANSPOSED: "is transposed",
        Cause.SWAPPED: f"is that of {one.other}: the two are swapped",
        Cause.MISSING: "is None, and the output depends on it",
        Cause.UNUSED: "is not zero, and the output does not depend on it",
        Cause.NOT_FINITE: "is not finite where the forward has a derivative",
        Cause.OTHER: f"is wrong at {one.wrong:,} of {counted(one.checked, 'element')} looked at",
    }[one.cause]


def _sums(found: Gradcheck) -> Iterator[Segment]:
    yield counted(len({check.name for check in found.checks}), "function"), ""
    if found.custom > len(found.checks):
        yield f"{len(found.checks):,} of {found.custom:,} calls checked", ""
    wrong = found.findings
    yield (f"{wrong:,} wrong", "bold red") if wrong else ("none wrong", "green")


_FIGURES: dict[str, Callable[[Element], Any]] = {
    "element": lambda one: list(one.index),
    "output": lambda one: one.output or None,
    "analytic": lambda one: sheet.number(one.analytic),
    "numeric": lambda one: sheet.number(one.numeric),
    "difference": lambda one: sheet.number(one.difference),
    "tolerance": lambda one: sheet.number(one.tolerance),
}


def _as_json(check: FunctionCheck) -> dict[str, object]:
    return {
        "function": check.name,
        **_origin(check),
        "precision": check.precision,
        "upstream": sheet.number(check.upstream),
        "gradcheck": check.plain or None,
        "gradgradcheck": check.second or None,
        "once": check.once or None,
        "finding": check.is_finding,
        "unchecked": check.unchecked or None,
        "faults": [{"slug": fault.value, "at": at} for fault, at in check.faults],
        "inputs": [_input_as_json(one) for one in check.inputs],
    }


def _origin(check: FunctionCheck) -> dict[str, object]:
    return {
        "file": check.place.file if check.place else None,
        "line": check.place.line if check.place else None,
        "module": check.module.full_name if check.module else None,
        "node": check.node if check.node >= 0 else None,
        "call": check.call,
        "calls": check.calls,
    }


def _input_as_json(one: InputCheck) -> dict[str, object]:
    worst = one.worst
    return {
        "name": one.name,
        "order": one.order,
        "shape": list(one.shape),
        "dtype": one.dtype,
        "verdict": one.verdict.value,
        "slug": one.cause.slug if one.verdict.is_finding else None,
        "cause": one.cause.value or None,
        "factor": sheet.number(one.factor),
        "other": one.other or None,
        "checked": one.checked,
        "total": one.total,
        "wrong": one.wrong,
        "kinks": one.kinks,
        **{name: write(worst) if worst else None for name, write in _FIGURES.items()},
    }


def _exact_values(found: Gradcheck) -> Iterator[list[str]]:
    """Give the headings, then the values of each row; empty for what is not known."""
    heads: list[str] | None = None
    for check, one in found.rows:
        known = {"function": check.name, **_origin(check), "precision": check.precision}
        inside = _input_as_json(one or _NOBODY)
        if one is None:
            inside = dict.fromkeys(inside)
        known |= {"gradcheck": check.plain, "gradgradcheck": check.second, "once": check.once}
        known |= {"faults": " ".join(fault.value for fault, _ in check.faults)}
        row = {**known, "unchecked": check.unchecked, **inside}
        if heads is None:
            heads = list(row)
            yield heads
        yield ["" if value is None else safe(str(value)) for value in row.values()]


_NOBODY = InputCheck("", (), "", Verdict.UNCHECKED)
