"""Which columns a capture file has: read off the dataclasses, so that a field is all it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.curves import Curves
from autograd_inspect.model.gradients import HISTOGRAM_DECADES, Gradients
from autograd_inspect.model.graph import Graph

Array = npt.NDArray[Any]

#: The groups of columns that make a graph, with the field of `Graph` that holds each.
GRAPH_TABLES = {
    "nodes": "node_table",
    "edges": "edge_table",
    "outputs": "output_table",
    "saved": "saved_table",
    "leaves": "leaf_table",
    "roots": "root_table",
    "calls": "call_table",
    "writes": "write_table",
    "cuts": "cut_table",
    "cut_leaves": "cut_leaf_table",
    "cut_uses": "cut_use_table",
    "passed": "passed_table",
    "times": "time_table",
    "outside": "outside_table",
}

#: Each group of columns, and the table it is made from.
TABLES: dict[str, type[Any]] = {
    group: get_type_hints(Graph)[name] for group, name in GRAPH_TABLES.items()
} | {
    "grads": get_type_hints(Gradients)["table"],
    "curves": get_type_hints(Curves)["table"],
    "points": get_type_hints(Curves)["points"],
}

#: The groups of format 1.0; a file may lack any other.
FROM_THE_START = ("nodes", "edges", "outputs", "saved", "leaves", "roots", "grads")

#: Columns with several figures per row.
_WIDTHS = {"grads.histogram": len(HISTOGRAM_DECADES) - 1}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its group, its field in the table, and the type of its figures."""

    group: str
    field: Field[Any]
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        """The key that `numpy.load` knows it by."""
        return f"{self.group}.{self.field.name}"

    @property
    def member(self) -> str:
        """The file in the archive."""
        return f"{self.name}.npy"

    def shape(self, counts: Mapping[str, int]) -> tuple[int, ...]:
        """Give the shape it must have, where `counts` are the rows of each group."""
        if self.field.name == "start":  # one row per node and one more: where the last node ends
            return (counts["nodes"] + 1,)
        width = _WIDTHS.get(self.name)
        return (counts[self.group],) if width is None else (counts[self.group], width)

    def default(self, shape: tuple[int, ...]) -> Array:
        """Fill in for a file from before the column; ValueError where no file may lack it."""
        if "absent" in self.field.metadata:
            return np.full(shape, self.field.metadata["absent"], self.dtype)
        if self.group not in FROM_THE_START and shape == (0,):
            return np.zeros(shape, self.dtype)
        raise ValueError(f"{self.member} is missing")


@cache
def columns() -> tuple[Column, ...]:
    """All columns of this version, in the order in which they are written."""
    return tuple(column for group in TABLES for column in _columns_of(group))


@cache
def interned() -> dict[str, dict[str, Any]]:
    """Name the tuples that columns point into, with their types, by the part that holds them."""
    owners: dict[str, type[Any]] = {"graph": Graph, "grads": Gradients, "curves": Curves}
    return {
        part: {name: hint for name, hint in get_type_hints(cls).items() if _is_tuple(hint)}
        for part, cls in owners.items()
    }


def parts_of(capture: Capture) -> dict[str, Any]:
    """Take the parts that hold the tuples of `interned`."""
    return {"graph": capture.graph, "grads": capture.gradients, "curves": capture.curves}


def tables_of(capture: Capture) -> dict[str, Any]:
    """Take the tables of a capture, by group."""
    of_graph = {group: getattr(capture.graph, name) for group, name in GRAPH_TABLES.items()}
    curves = capture.curves
    others = {"grads": capture.gradients.table, "curves": curves.table, "points": curves.points}
    return of_graph | others


def arrays_of(capture: Capture) -> Iterator[tuple[Column, Array]]:
    """Go through the columns of a capture with their figures."""
    tables = tables_of(capture)
    return ((column, getattr(tables[column.group], column.field.name)) for column in columns())


def counts_of(capture: Capture) -> dict[str, int]:
    """Count the rows of each group."""
    return {
        column.group: len(array)
        for column, array in arrays_of(capture)
        if column.field.name != "start"
    }


def _is_tuple(hint: Any) -> bool:
    return get_origin(hint) is tuple


def _columns_of(group: str) -> Iterator[Column]:
    hints = get_type_hints(TABLES[group])
    for field in fields(TABLES[group]):
        _, dtype = get_args(hints[field.name])
        yield Column(group, field, np.dtype(get_args(dtype)[0]))
