"""What is held for backward, as a table: for a terminal, a pipe, as CSV, as JSON.

    {"schema": "agi.memory/1",
     "capture": {"target", "expression", ...},
     "by": "op",
     "totals": {"tensors", "storages", "groups", "total", "unique",
                "parameters", "buffers", "inputs", "activations", "other",
                "packed": [{"packer", "tensors", "held"}], "freed", "unseen", "omitted",
                "program": {"parameters", "gradients"}},
     "rows": [{"name", "tensors", "nodes", "total", "unique", "share",
               "parameters", "buffers", "inputs", "activations", "other"}]}

All sizes are in bytes. Rows by module also have "owner" and "class", by line "function", by tensor
"shape", "dtype", "device", "role" and "node". What was not counted is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.memory import Held, Memory
from autograd_inspect.renderers import sheet
from autograd_inspect.renderers.sheet import Column, Sheet
from autograd_inspect.renderers.text import (
    Glyphs,
    Origins,
    Segment,
    counted,
    glyphs,
    percent,
    safe,
    size,
)

SCHEMA = "agi.memory/1"

_ROLES = ("parameters", "buffers", "inputs", "activations", "other")
_FIGURES = ("tensors", "nodes", "total", "unique", "share", *_ROLES)
#: What a narrow terminal goes without, in this order.
_DISPENSABLE = ("dtype", "total", "other", "buffers", "inputs", "parameters", "activations")


def render(
    capture: Capture,
    memory: Memory,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option
) -> str:
    """Lay the table out for a terminal, with the sums below it; nothing where nothing is held."""
    if not memory.tensors:
        return ""
    signs = glyphs(ascii=ascii)
    table = _sheet(capture, memory, signs).render(memory.rows, width=width, color=color)
    sums = [sheet.in_a_line(facts, signs.dot, color=color) for facts in _sums(memory)]
    return f"{table}\n{''.join(sums)}"


def remarks(memory: Memory) -> Iterator[str]:
    """Say what the figures alone would not tell."""
    if memory.omitted:
        yield f"not in this capture: {memory.omitted}"
    elif memory.freed and not memory.tensors:
        were = "1 saved tensor was" if memory.freed == 1 else f"{memory.freed:,} saved tensors were"
        yield f"nothing is held any more: {were} freed by a backward before the capture"
    elif memory.freed:
        freed = counted(memory.freed, "saved tensor")
        yield f"besides, {freed} had been freed by a backward before the capture"
    elif not memory.tensors:
        yield "no node of this graph keeps a tensor for backward"
    if any(one.packer == "checkpoint" for one in memory.packed):
        yield "not counted: the inputs of checkpointed blocks, which are no part of the graph"
    if memory.unseen:
        writes = counted(memory.unseen, "in-place write")
        yield f"not counted: what {writes} to views may keep, which torch does not show"


def tabbed(memory: Memory) -> str:
    """Write the rows as tab-separated values under one line of headings, sizes in bytes."""
    return sheet.tabbed(_exact_values(memory))


def csv(memory: Memory) -> str:
    """Write the rows as CSV with the columns of `tabbed`."""
    return sheet.csv(_exact_values(memory))


def to_json(capture: Capture, memory: Memory) -> str:
    """Write rows and totals as one JSON object, each row in a line."""
    names = ("tensors", "storages", "groups", "total", "unique", *_ROLES)
    totals: dict[str, object] = {
        **{name: getattr(memory, name) for name in names},
        "packed": [asdict(one) for one in memory.packed],
        "freed": memory.freed,
        "unseen": memory.unseen,
        "omitted": memory.omitted or None,
        "program": {
            "parameters": memory.weights if memory.weights >= 0 else None,
            "gradients": memory.grads if memory.grads >= 0 else None,
        },
    }
    head: dict[str, object] = {
        "schema": SCHEMA,
        "capture": sheet.about(capture),
        "by": memory.by,
        "totals": totals,
    }
    return sheet.to_json(head, (_as_json(memory, row) for row in memory.rows))


def _sheet(capture: Capture, memory: Memory, signs: Glyphs) -> Sheet[Held]:
    name = Column(memory.by, _naming(capture, signs), right=False)
    share: Column[Held] = Column("share", lambda row: percent(memory.share(row)), lambda _: "bold")
    if memory.by == "tensor":
        columns = [
            name,
            Column("shape", _shape, lambda _: "cyan", right=False),
            Column("dtype", _dtype, right=False),
            Column("role", _role, right=False),
            Column("nodes", lambda row: f"{row.nodes:,}"),
            Column("held", _sized("unique"), lambda _: "bold"),
            share,
        ]
    else:
        columns = [
            name,
            Column("tensors", lambda row: f"{row.tensors:,}"),
            Column("total", _sized("total")),
            Column("unique", _sized("unique"), lambda _: "bold"),
            share,
            *(Column(one, _sized(one), lambda _: "dim") for one in _ROLES if getattr(memory, one)),
        ]
    plain = all(_dtype(row) in {"", "float32"} for row in memory.rows)
    return Sheet(columns, ["dtype"] if plain else (), _DISPENSABLE)


def _naming(capture: Capture, signs: Glyphs) -> Callable[[Held], str]:
    """Give the function that writes what a row is of, in as few words as tell rows apart."""
    origins = Origins(capture.graph)

    def name(row: Held) -> str:
        text = row.name
        if row.place is not None:
            text = origins.place(row.place)
        elif row.module is not None:
            path = origins.module(row.module)
            text = path if row.module.cls == path else f"{path} ({row.module.cls})"
        return safe(text, ascii=signs.rail.isascii())

    return name


def _sums(memory: Memory) -> Iterator[list[Segment]]:
    """Give the lines below the table, each a list of facts."""
    if len(memory.rows) < memory.groups:
        yield [(f"{len(memory.rows):,} of {memory.groups:,} shown, largest first", "dim")]
    tensors, storages = counted(memory.tensors, "tensor"), counted(memory.storages, "storage")
    facts = [(f"{tensors} in {storages}", ""), (f"{size(memory.unique)} held", "bold")]
    if memory.total > memory.unique:
        facts.append((f"{size(memory.total)} if none were shared", ""))
    yield facts
    parts = [(f"{name} {size(getattr(memory, name))}", "") for name in _ROLES]
    if memory.unique:
        yield [part for part, name in zip(parts, _ROLES, strict=True) if getattr(memory, name)]
    for one in memory.packed:
        held = size(one.held) if one.held or one.packer != "checkpoint" else "made anew in backward"
        yield [(f"packed by {safe(one.packer)}: {counted(one.tensors, 'tensor')}, {held}", "")]
    if memory.weights > 0:
        yield [
            (f"all parameters of the program {size(memory.weights)}", ""),
            (f"their gradients so far {size(memory.grads)}", ""),
        ]


def _sized(name: str) -> Callable[[Held], str]:
    """Write one figure of a row; nothing for none at all."""

    def write(row: Held) -> str:
        return size(getattr(row, name)) if getattr(row, name) else ""

    return write


def _shape(row: Held) -> str:
    return row.spec.shape_text if row.spec else ""


def _dtype(row: Held) -> str:
    return row.spec.dtype if row.spec else ""


def _role(row: Held) -> str:
    return row.role.label if row.role is not None else ""


#: What rows have beside their figures, by how they are grouped.
_FACTS: dict[str, dict[str, Callable[[Held], Any]]] = {
    "op": {},
    "module": {
        "owner": lambda row: row.module.owner if row.module else None,
        "class": lambda row: row.module.cls if row.module else None,
    },
    "line": {"function": lambda row: row.place.function if row.place else None},
    "tensor": {
        "shape": lambda row: row.spec.shape_text if row.spec else None,
        "dtype": lambda row: row.spec.dtype if row.spec else None,
        "device": lambda row: row.spec.device if row.spec else None,
        "role": _role,
        "node": lambda row: row.node if row.node >= 0 else None,
    },
}


def _exact_values(memory: Memory) -> Iterator[list[str]]:
    """Give the headings, then the values of each row; empty for what is not known.

    What does not print in a name is escaped, so that a row is a line.
    """
    facts = _FACTS[memory.by]
    yield ["name", *_FIGURES, *facts]
    for row in memory.rows:
        known = ["" if (value := get(row)) is None else str(value) for get in facts.values()]
        figures = (_figure(memory, row, name) for name in _FIGURES)
        yield [safe(row.name), *map(repr, figures), *map(safe, known)]


def _as_json(memory: Memory, row: Held) -> dict[str, object]:
    facts = {name: get(row) for name, get in _FACTS[memory.by].items()}
    if memory.by == "tensor":
        facts["shape"] = list(row.spec.shape) if row.spec else None
    return {
        "name": row.name,
        **{name: _figure(memory, row, name) for name in _FIGURES},
        **facts,
    }


def _figure(memory: Memory, row: Held, name: str) -> int | float:
    figure: int | float = memory.share(row) if name == "share" else getattr(row, name)
    return figure
