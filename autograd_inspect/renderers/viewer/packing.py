"""Columns packed into bytes: narrow, aligned, deflated; what `data.js` unpacks.

    4 bytes   length of the head, little endian
    head      JSON: {"facts": ..., "columns": {NAME: [DTYPE, LENGTH, OFFSET, CODING]}}, filled up
              with spaces; offsets count from behind it
    columns   each at a multiple of 8 bytes

A column is stored in the smallest type that holds all its values exactly; one whose coding is
"delta" as the differences between neighbours, which for numbers that rise are few and small.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.generic]

_INTEGERS = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32)
#: Beyond these, single precision takes a number for nothing, or for infinite.
_LEAST, _MOST = 1e-37, 3e38
_ALIGN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Rising:
    """A column to be stored as differences: numbers that mostly rise a little, or fall a little."""

    values: Column


def pack(facts: Mapping[str, Any], columns: Mapping[str, Column | Rising]) -> bytes:
    """Pack facts for JSON, and columns by their names."""
    places: dict[str, tuple[str, int, int, str]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, column in columns.items():
        stored, coding = _coded(column)
        raw = stored.tobytes()
        places[name] = (stored.dtype.name, len(stored), offset, coding)
        parts += [raw, bytes(-len(raw) % _ALIGN)]
        offset += len(raw) + -len(raw) % _ALIGN
    # With escapes only: whatever a program calls its things, this is ASCII.
    head = json.dumps({"facts": facts, "columns": places}, separators=(",", ":")).encode("ascii")
    head += b" " * (-(len(head) + 4) % _ALIGN)
    return zlib.compress(b"".join([struct.pack("<I", len(head)), head, *parts]))


def _coded(column: Column | Rising) -> tuple[Column, str]:
    if isinstance(column, Rising):
        return narrow(np.diff(column.values.astype(np.int64), prepend=0)), "delta"
    return narrow(column), ""


def narrow(column: Column) -> Column:
    """Give a column in the smallest type that the page can read and that loses nothing of it."""
    if column.dtype.kind == "f":
        size = np.abs(column[np.isfinite(column) & (column != 0)])
        single = not len(size) or (size.min() >= _LEAST and size.max() <= _MOST)
        return column.astype("<f4" if single else "<f8")
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for dtype in _INTEGERS:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return column.astype(np.dtype(dtype).newbyteorder("<"))
    return column.astype("<f8")
