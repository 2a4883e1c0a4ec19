"""Where the time of a step went, as a table: for a terminal, a pipe, as CSV, as JSON.

    {"schema": "agi.profile/1",
     "capture": {"target", "expression", ...},
     "by": "op",
     "totals": {"groups", "nodes", "linked", "forward", "backward", "time", "outside", "memory",
                "device", "wall": {"forward", "backward"}, "step", "kernels", "notes"},
     "outside": [{"name", "backward", "calls", "time", "share", "memory", "device"}],
     "rows": [{"name", "calls", "forward", "backward", "time", "share",
               "forward_total", "backward_total", "total", "memory", "device"}]}

All times are in nanoseconds, all sizes in bytes. A share is that of `time` in the time of all
operations, outside of the graph included. Rows by module also have "owner" and "class", by line
"function", by node "node", "variable", "line" and "module". What is not known is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.times import Timed, Times
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import (
    Glyphs,
    Origins,
    Segment,
    duration,
    glyphs,
    listed,
    percent,
    safe,
    size,
)

SCHEMA = "agi.profile/1"

OUTSIDE = "(outside the graph)"

_FIGURES = (
    "calls",
    "forward",
    "backward",
    "time",
    "share",
    "forward_total",
    "backward_total",
    "total",
    "memory",
    "device",
)
#: What a narrow terminal goes without, in this order.
_DISPENSABLE = ("module", "memory", "line", "total", "calls", "backward", "forward")
#: Operations outside of the graph that are named below the table.
_NAMED = 4


def render(
    capture: Capture,
    times: Times,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay the table out for a terminal, with the sums below it."""
    signs = glyphs(ascii=ascii)
    rows = [*times.rows, *_row_outside(times)]
    table = _sheet(capture, times, signs).render(rows, width=width, color=color)
    sums = [sheet.in_a_line(facts, signs.dot, color=color) for facts in _sums(times, signs)]
    return f"{table}\n{''.join(sums)}"


def remarks(times: Times) -> Iterator[str]:
    """Say what the figures alone would not tell."""
    profile = times.profile
    if profile.step == 1:
        yield "the first step includes warm-up; --step 3 times a later one"
    if profile.linked < times.nodes:
        yield f"{times.nodes - profile.linked:,} of {times.nodes:,} nodes did not run meanwhile"
    yield from profile.notes


def tabbed(times: Times) -> str:
    """Write the rows as tab-separated values under one line of headings, times in nanoseconds."""
    return sheet.tabbed(_exact_values(times))


def csv(times: Times) -> str:
    """Write the rows as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(times))


def to_json(capture: Capture, times: Times) -> str:
    """Write rows and totals as one JSON object, each row in a line."""
    profile = times.profile
    names = ("groups", "nodes", "forward", "backward", "time", "memory", "device")
    totals: dict[str, object] = {
        **{name: getattr(times, name) for name in names},
        "linked": profile.linked,
        "outside": times.time_outside,
        "wall": {
            "forward": profile.forward,
            "backward": profile.backward if profile.backward >= 0 else None,
        },
        "step": profile.step,
        "kernels": profile.device or None,
        "notes": list(profile.notes),
    }
    head: dict[str, object] = {
        "schema": SCHEMA,
        "capture": sheet.about(capture),
        "by": times.by,
        "totals": totals,
        "outside": [{**asdict(one), "share": times.share(one.time)} for one in times.outside],
    }
    return sheet.to_json(head, (_as_json(times, row) for row in times.rows))


def _sheet(capture: Capture, times: Times, signs: Glyphs) -> Sheet[Timed]:
    origins = Origins(capture.graph)
    columns: list[Column[Timed]] = [
        Column(times.by, _naming(origins, signs), right=False),
        Column("calls", lambda row: f"{row.calls:,}"),
        Column("forward", _time("forward", signs)),
        Column("backward", _time("backward", signs)),
        Column("time", _time("time", signs), lambda _: "bold"),
        Column("share", lambda row: percent(times.share(row.time)), lambda _: "bold"),
    ]
    if any(row.total != row.time for row in times.rows):
        columns.append(Column("total", _time("total", signs)))
    if times.profile.device:
        columns.append(Column(times.profile.device, _time("device", signs)))
    columns.append(
        Column("memory", lambda row: size(row.memory) if row.memory else "", lambda _: "dim")
    )
    if times.by == "node":
        del columns[1]
        columns += [
            Column("line", lambda row: _place(row, origins, signs), lambda _: "dim", right=False),
            Column(
                "module", lambda row: _module(row, origins, signs), lambda _: "dim", right=False
            ),
        ]
    return Sheet(columns, (), _DISPENSABLE)


def _row_outside(times: Times) -> Iterator[Timed]:
    """Give the last row: the sum of what ran outside of the graph."""
    if not times.outside:
        return
    before, during = (
        sum(one.time for one in times.outside if one.backward is later) for later in (False, True)
    )
    yield Timed(
        name=OUTSIDE,
        calls=sum(one.calls for one in times.outside),
        forward=before,
        backward=during,
        forward_total=before,
        backward_total=during,
        memory=sum(one.memory for one in times.outside),
        device=sum(one.device for one in times.outside),
    )


def _naming(origins: Origins, signs: Glyphs) -> Callable[[Timed], str]:
    """Give the function that writes what a row is of, in as few words as tell rows apart."""

    def name(row: Timed) -> str:
        if row.node >= 0:
            bound = f" {signs.gives} {row.variable}" if row.variable else ""
            text = f"#{row.node} {row.name}{bound}"
        elif row.place is not None:
            text = origins.place(row.place)
        elif row.module is not None:
            path = origins.module(row.module)
            text = path if row.module.cls == path else f"{path} ({row.module.cls})"
        else:
            text = row.name
        return safe(text, ascii=signs.rail.isascii())

    return name


def _place(row: Timed, origins: Origins, signs: Glyphs) -> str:
    return safe(origins.place(row.place), ascii=signs.rail.isascii()) if row.place else ""


def _module(row: Timed, origins: Origins, signs: Glyphs) -> str:
    return safe(origins.module(row.module), ascii=signs.rail.isascii()) if row.module else ""


def _time(name: str, signs: Glyphs) -> Callable[[Timed], str]:
    """Write one time of a row; nothing for none at all."""

    def write(row: Timed) -> str:
        time: int = getattr(row, name)
        return duration(time, ascii=signs.rail.isascii()) if time else ""

    return write


def _sums(times: Times, signs: Glyphs) -> Iterator[list[Segment]]:
    """Give the lines below the table, each a list of facts."""

    def told(time: int) -> str:
        return duration(time, ascii=signs.rail.isascii())

    if len(times.rows) < times.groups:
        yield [(f"{len(times.rows):,} of {times.groups:,} shown, slowest first", "dim")]
    profile = times.profile
    facts = [(f"forward {told(profile.forward)}", "bold")]
    if profile.backward >= 0:
        facts.append((f"backward {told(profile.backward)}", "bold"))
    between = profile.forward + max(profile.backward, 0) - times.measured
    facts.append((f"{told(times.time)} in the graph's operations", ""))
    if times.outside:
        facts.append((f"{told(times.time_outside)} in others", ""))
    if between > 0:
        facts.append((f"{told(between)} between them", ""))
    yield facts
    if times.outside:
        largest = [f"{safe(one.name)} {told(one.time)}" for one in times.outside]
        yield [(f"outside the graph: {listed(largest, most=_NAMED)}", "")]


#: What rows have beside their figures, by how they are grouped.
_FACTS: dict[str, dict[str, Callable[[Timed], Any]]] = {
    "op": {},
    "module": {
        "owner": lambda row: row.module.owner if row.module else None,
        "class": lambda row: row.module.cls if row.module else None,
    },
    "line": {"function": lambda row: row.place.function if row.place else None},
    "node": {
        "node": lambda row: row.node if row.node >= 0 else None,
        "variable": lambda row: row.variable or None,
        "line": lambda row: f"{row.place.file}:{row.place.line}" if row.place else None,
        "module": lambda row: row.module.full_name or row.module.name if row.module else None,
    },
}


def _exact_values(times: Times) -> Iterator[list[str]]:
    """Give the headings, then the values of each row, that of the outside last.

    What does not print in a name is escaped, so that a row is a line.
    """
    facts = _FACTS[times.by]
    yield ["name", *_FIGURES, *facts]
    for row in [*times.rows, *_row_outside(times)]:
        known = ["" if (value := get(row)) is None else str(value) for get in facts.values()]
        figures = (_figure(times, row, name) for name in _FIGURES)
        yield [safe(row.name), *map(repr, figures), *map(safe, known)]


def _as_json(times: Times, row: Timed) -> dict[str, object]:
    return {
        "name": row.name,
        **{name: _figure(times, row, name) for name in _FIGURES},
        **{name: get(row) for name, get in _FACTS[times.by].items()},
    }


def _figure(times: Times, row: Timed, name: str) -> int | float:
    figure: int | float = times.share(row.time) if name == "share" else getattr(row, name)
    return figure
