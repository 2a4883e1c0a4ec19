"""A training, as tables: for a terminal, a pipe, as CSV, as JSON.

    {"schema": "agi.train/1",
     "target", "arguments", "wanted", "seen", "by", "stride", "sampled", "skipped", "failed",
     "optimizers": [name],
     "groups": [{"name", "optimizer", "parameters", "elements"}],
     "parameters": [{"name", "shape", "optimizers", "is_held", "is_owned", "requires_grad",
                     "reached", "steps", "arrived", "nonzero", "moved"}],
     "shown": [{"expression", "before", "after"}],
     "findings": [{"slug", "is_fault", "message", "evidence"}],
     "rows": [{"step", "optimizer", "losses": [{"name", "value", "calls", "place"}],
               "gradient", "weight", "update", "ratio", "rate", "backwards", "added", "nodes",
               "saved", "earlier", "live", "reused", "attached", "seconds", "backward", "stepping",
               "groups": {name: {"gradient", "weight", "update", "ratio", "rate"}}}]}

Norms are 2-norms, sizes in bytes, times in seconds. What was not measured is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median

from autograd_inspect.model.training import Finding, Group, Loss, Movement, Shown, Step, Training
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import (
    Glyphs,
    Segment,
    counted,
    figure,
    glyphs,
    paint,
    safe,
    size,
)

SCHEMA = "agi.train/1"

#: Losses that get a column of their own on a terminal.
_LOSSES = 3
_FIGURES = ("gradient", "weight", "update", "ratio", "rate")
_FACTS = ("backwards", "added", "nodes", "saved", "earlier", "live", "reused", "attached")
_TIMES = ("seconds", "backward", "stepping")
#: What a narrow terminal goes without, in this order.
_DISPENSABLE = (
    "optimizer",
    "lr",
    "calls",
    "saved",
    "time",
    "nodes",
    "live",
    "update/weight",
)


def render(
    training: Training,
    *,
    width: int | None = None,
    rows: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay out steps, groups, values and findings for a terminal, at most so many rows of each."""
    signs = glyphs(ascii=ascii)
    chosen = chosen_steps(training, rows)
    parts = [_steps(training, signs).render(chosen, width=width, color=color)] if chosen else []
    if training.steps and (len(training.groups) > 1 or training.by != "group"):
        groups = list(range(len(training.groups)))
        busiest = sorted(groups, key=lambda group: -(_Course(training, group).worst or 0))[:rows]
        table = _groups(training, signs).render(sorted(busiest), width=width, color=color)
        parts.append(table + _left_out(len(groups) - len(busiest), "largest gradient", color=color))
    parts += [_values(shown, signs, color=color) for shown in training.shown]
    told = "".join(_told(finding, signs, color=color) for finding in training.findings)
    parts.append(told + sheet.in_a_line(_sums(training, len(chosen)), signs.dot, color=color))
    return "\n".join(parts)


def live_line(step: Step, optimizers: Sequence[str], wanted: int) -> str:
    """Say of one step, in one line, what there is to say while the program runs."""
    parts = [f"step {step.number}/{wanted}"]
    if len(optimizers) > 1:
        parts.append(safe(optimizers[step.optimizer]))
    parts += [f"{safe(loss.name)} {_loss(loss)}" for loss in step.losses[:_LOSSES]]
    parts.append(f"gradient {_figure(step.moved.gradient)}")
    parts.append(f"update/weight {_figure(step.moved.ratio)}")
    if step.live:
        parts.append(f"{step.live:,} graphs of earlier steps alive")
    parts.append(_time(step.seconds))
    return "  ".join(parts)


def remarks(training: Training) -> Iterator[str]:
    """Say what the figures alone would not tell."""
    if training.seen < training.wanted:
        yield f"the program was over after {training.seen:,} of {training.wanted:,} steps"
    if training.stride > 1:
        yield f"every {training.stride:,}th step was kept; what is counted, is counted in all"
    if training.sampled > 1:
        yield f"updates are estimated from one in {training.sampled:,} elements of the weights"
    for shown in training.shown:
        if shown.before is None and shown.after is None:
            yield f"--show {safe(shown.expression)}: nothing of that name where the steps were made"


def said(training: Training) -> Iterator[str]:
    """Say the findings where the table is for machines."""
    for finding in training.findings:
        yield f"{finding.slug}: {safe(finding.message)}"


def tabbed(training: Training) -> str:
    """Write steps as tab-separated values under one line of headings: all, then group by group."""
    return sheet.tabbed(_exact_values(training))


def csv(training: Training) -> str:
    """Write the steps as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(training))


def to_json(training: Training) -> str:
    """Write all of it as one JSON object, each step in a line."""
    head: dict[str, object] = {
        "schema": SCHEMA,
        **{name: getattr(training, name) for name in _HEAD},
        "optimizers": list(training.optimizers),
        "groups": [
            {**asdict(group), "optimizer": training.optimizers[group.optimizer]}
            for group in training.groups
        ],
        "parameters": [asdict(fate) for fate in training.parameters],
        "shown": [_shown_as_json(shown) for shown in training.shown],
        "findings": [asdict(finding) for finding in training.findings],
    }
    return sheet.to_json(head, (_as_json(training, step) for step in training.steps))


_HEAD = (
    "target", "arguments", "wanted", "seen", "by", "stride", "sampled", "skipped", "failed",
)  # fmt: skip


def chosen_steps(training: Training, rows: int | None) -> list[Step]:
    """Choose at most so many steps: the first, the last, the worst, and others evenly between."""
    steps = training.steps
    if rows is None or len(steps) <= rows:
        return list(steps)
    worst = max(range(len(steps)), key=lambda at: steps[at].moved.gradient or 0)
    even = [round(at * (len(steps) - 1) / max(rows - 2, 1)) for at in range(rows - 1)]
    return [steps[at] for at in sorted({worst, *even})]


def _steps(training: Training, signs: Glyphs) -> Sheet[Step]:
    plain = signs.rail.isascii()
    columns: list[Column[Step]] = [
        Column("step", lambda step: f"{step.number:,}"),
        Column(
            "optimizer",
            lambda step: safe(training.optimizers[step.optimizer], ascii=plain),
            right=False,
        ),
        *(_loss_column(name, signs) for name in loss_names(training)[:_LOSSES]),
        Column("calls", lambda step: f"{step.backwards}"),
        Column(signs.gradient, lambda s: _figure(s.moved.gradient), lambda _: "bold"),
        Column("update/weight", lambda step: _figure(step.moved.ratio)),
        Column("lr", lambda step: _figure(step.moved.rate)),
        Column("nodes", lambda step: f"{step.nodes:,}", lambda _: "dim"),
        Column("saved", lambda step: size(step.saved) if step.saved >= 0 else "", lambda _: "dim"),
        Column("live", lambda step: f"{step.live:,}", lambda step: "yellow" if step.live else ""),
        Column("time", lambda step: _time(step.seconds), lambda _: "dim"),
    ]
    silent = [
        *(["optimizer"] if len(training.optimizers) == 1 else []),
        *(["calls"] if all(step.backwards == 1 for step in training.steps) else []),
    ]
    shown = [column for column in columns if column.heading not in silent]
    return Sheet(shown, (), _DISPENSABLE)


def _loss_column(name: str, signs: Glyphs) -> Column[Step]:
    return Column(safe(name, ascii=signs.rail.isascii()), lambda step: _loss_of(step, name))


class _Course:
    """How one group did from step to step."""

    def __init__(self, training: Training, group: int) -> None:
        steps = [step for step in training.steps if group in step.groups]
        moved = [step.groups[group] for step in steps]
        self.gradients = [one.gradient for one in moved if one.gradient is not None]
        self.ratios = [one.ratio for one in moved if one.ratio is not None]

    @property
    def worst(self) -> float | None:
        """The largest gradient."""
        return max(self.gradients, default=None)


def _groups(training: Training, signs: Glyphs) -> Sheet[int]:
    courses = [_Course(training, group) for group in range(len(training.groups))]
    several = len(training.optimizers) > 1

    def name(row: int) -> str:
        group = training.groups[row]
        owner = (
            f"{training.optimizers[group.optimizer]}: "
            if several and training.by != "group"
            else ""
        )
        return safe(f"{owner}{group.name}", ascii=signs.rail.isascii())

    def at(place: int) -> Column[int]:
        heading = f"{'first' if place == 0 else 'last'} {signs.gradient}"
        return Column(
            heading,
            lambda row: _figure(courses[row].gradients[place]) if courses[row].gradients else "",
        )

    return Sheet(
        [
            Column(training.by, name, right=False),
            Column("elements", lambda row: f"{training.groups[row].elements:,}"),
            at(0),
            at(-1),
            Column(f"max {signs.gradient}", lambda row: _figure(courses[row].worst)),
            Column(
                "update/weight",
                lambda row: _figure(median(courses[row].ratios)) if courses[row].ratios else "",
                lambda _: "bold",
            ),
        ],
        (),
        (f"first {signs.gradient}", "elements"),
    )


def _values(shown: Shown, signs: Glyphs, *, color: bool) -> str:
    """Write the values before and after side by side, one to a line."""
    if shown.before is None and shown.after is None:
        return ""
    name = safe(shown.expression, ascii=signs.rail.isascii())
    before, after = shown.before or (), shown.after or ()
    pairs = list(enumerate(zip(before, after, strict=False)))
    if not pairs:
        pairs = [(at, (value, value)) for at, value in enumerate(before or after)]
    table: Sheet[tuple[int, tuple[float, float]]] = Sheet(
        [
            Column(name, lambda pair: f"[{pair[0]}]", right=False),
            Column("before", lambda pair: figure(pair[1][0], 6)),
            Column("after", lambda pair: figure(pair[1][1], 6), lambda _: "bold"),
            Column("change", lambda pair: figure(pair[1][1] - pair[1][0], 3), lambda _: "dim"),
        ]
    )
    text = table.render(pairs[:_VALUES], width=None, color=color)
    return text + _left_out(len(pairs) - _VALUES, "first", color=color)


#: Values of one --show that are listed on a terminal.
_VALUES = 40


def _told(finding: Finding, signs: Glyphs, *, color: bool) -> str:
    plain = signs.rail.isascii()
    style = "bold red" if finding.is_fault else "cyan"
    head: list[Segment] = [(finding.slug, style), (f": {safe(finding.message, ascii=plain)}", "")]
    lines = [paint(head, color=color)]
    lines += [
        paint([(f"  {safe(line, ascii=plain)}", "dim")], color=color) for line in finding.evidence
    ]
    return "".join(f"{line}\n" for line in lines)


def _sums(training: Training, shown: int) -> Iterator[Segment]:
    steps = counted(training.seen, "step")
    yield (steps if shown == training.seen else f"{shown:,} of {steps} shown", "")
    held = [fate for fate in training.parameters if fate.optimizers]
    yield (counted(len(held), "parameter"), "")
    if len(training.optimizers) > 1:
        yield (counted(len(training.optimizers), "optimizer"), "")
    still = sum(fate.requires_grad and not fate.moved for fate in held)
    yield (f"{still:,} never updated", "yellow" if still else "")
    times = [step.seconds for step in training.steps if step.seconds is not None]
    if times:
        yield (f"{_time(median(times))} a step", "")


def _left_out(count: int, order: str, *, color: bool) -> str:
    if count <= 0:
        return ""
    return paint([(f"{count:,} more, {order} first", "dim")], color=color) + "\n"


def loss_names(training: Training) -> list[str]:
    """List what the losses are called, in the order of their first appearance."""
    return list(dict.fromkeys(loss.name for step in training.steps for loss in step.losses))


def _loss_of(step: Step, name: str) -> str:
    return next((_loss(loss) for loss in step.losses if loss.name == name), "")


def _loss(loss: Loss) -> str:
    return _figure(loss.value, 5)


def _figure(value: float | None, digits: int = 4) -> str:
    return "" if value is None else figure(value, digits)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"


def _exact_values(training: Training) -> Iterator[list[str]]:
    """Give the headings, then for each step all parameters together and each group."""
    losses = loss_names(training)
    yield ["step", "optimizer", "group", *_FIGURES, *map(safe, losses), *_FACTS, *_TIMES]
    several = len(training.groups) > 1
    for step in training.steps:
        facts = [_exact(getattr(step, name)) for name in (*_FACTS, *_TIMES)]
        values = {loss.name: loss.value for loss in step.losses}
        shared = [*(_exact(values.get(name)) for name in losses), *facts]
        start = [str(step.number), safe(training.optimizers[step.optimizer])]
        yield [*start, "", *_moved(step.moved), *shared]
        for row, moved in step.groups.items() if several else ():
            yield [*start, safe(training.groups[row].name), *_moved(moved), *shared]


def _moved(moved: Movement) -> list[str]:
    return [_exact(getattr(moved, name)) for name in _FIGURES]


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def _as_json(training: Training, step: Step) -> dict[str, object]:
    return {
        "step": step.number,
        "optimizer": training.optimizers[step.optimizer],
        "losses": [
            {
                "name": loss.name,
                "value": sheet.number(loss.value),
                "calls": loss.calls,
                "place": asdict(loss.place) if loss.place else None,
            }
            for loss in step.losses
        ],
        **_moved_as_json(step.moved),
        **{name: getattr(step, name) for name in (*_FACTS, *_TIMES)},
        "groups": {
            _group_key(training.groups[row]): _moved_as_json(moved)
            for row, moved in step.groups.items()
        },
    }


def _group_key(group: Group) -> str:
    return group.name


def _moved_as_json(moved: Movement) -> dict[str, object]:
    return {name: sheet.number(getattr(moved, name)) for name in _FIGURES}


def _shown_as_json(shown: Shown) -> dict[str, object]:
    return {
        "expression": shown.expression,
        "before": None if shown.before is None else list(map(sheet.number, shown.before)),
        "after": None if shown.after is None else list(map(sheet.number, shown.after)),
    }
