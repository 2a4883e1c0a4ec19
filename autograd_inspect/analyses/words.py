"""The words that the tables can be asked with.

Apart from the rest, so that a wrong one is found before the user's program runs, and without numpy,
which is the program's to import first.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from autograd_inspect.errors import UsageError
from autograd_inspect.model.diff import ASPECTS

SORT_KEYS = ("name", "norm", "mean", "std", "min", "max", "zeros", "nan", "inf", "count")
CONDITIONS = ("nan", "inf", "none", "zero")
NODE_KEYS = ("norm", "max", "zeros", "nan", "inf", "count", "time")
GROUPINGS = ("op", "module", "line", "tensor")
TIME_GROUPINGS = ("op", "module", "line", "node")


def check_words(sort: str | None, conditions: Iterable[str] = ()) -> None:
    """Raise UsageError where a sort key or condition is none that there is.

    A key may have one `+` or `-` before it.
    """
    if (
        sort is not None
        and sort.removeprefix("+" if sort.startswith("+") else "-") not in SORT_KEYS
    ):
        raise _unknown("sort key", sort, SORT_KEYS)
    for condition in conditions:
        if condition not in CONDITIONS:
            raise _unknown("condition", condition, CONDITIONS)


def check_node_key(sort: str) -> None:
    """Raise UsageError where nodes cannot be sorted by this."""
    if sort.removeprefix("+" if sort.startswith("+") else "-") not in NODE_KEYS:
        raise _unknown("sort key for nodes", sort, NODE_KEYS)


def check_grouping(by: str, possible: Sequence[str] = GROUPINGS) -> None:
    """Raise UsageError where there is no grouping by this; `possible` are those there are."""
    if by not in possible:
        raise _unknown("grouping", by, possible)


def check_aspects(what: Iterable[str]) -> None:
    """Raise UsageError where a word is nothing that captures can be compared by."""
    for word in what:
        if word not in ASPECTS:
            raise _unknown("aspect", word, ASPECTS)


def _unknown(what: str, given: str, possible: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(given.lstrip("+-").lower(), possible, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    return UsageError(f"unknown {what} '{given}'", hint=f"{meant}possible: {', '.join(possible)}")
