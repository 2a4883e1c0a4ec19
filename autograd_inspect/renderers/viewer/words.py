"""Texts of the page, each written down once: columns have their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from autograd_inspect.layout.text import visible
from autograd_inspect.model.tables import Ints, Longs

Whole = npt.NDArray[np.integer]


class Words:
    """The texts in the order in which they came up; number 0 is the empty one."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        """Give the number of a text, with all of it made visible."""
        return self._number.setdefault(visible(text), len(self._number))

    def column(self, texts: Iterable[str]) -> Ints:
        """Give the numbers of several texts."""
        return np.fromiter(map(self.number, texts), np.int32)

    def of_rows(self, rows: Whole, text_of: Callable[[int], str]) -> Ints:
        """Give the number of each row's text, asking once for rows that come again."""
        distinct, which = np.unique(rows, return_inverse=True)
        return self.column(map(text_of, distinct.tolist()))[which]

    def all(self) -> list[str]:
        """Give the texts by number."""
        return list(self._number)


def alike(*columns: Whole) -> tuple[Longs, Longs]:
    """Tell rows apart by several columns: the first row of each kind, and the kind of each row."""
    kind = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values = np.unique(column, return_inverse=True)[1]
        kind = kind * (int(values.max(initial=0)) + 1) + values
        kind = np.unique(kind, return_inverse=True)[1].astype(np.int64)
    _, first = np.unique(kind, return_index=True)
    return first.astype(np.int64), kind
