"""The figures that a line of rails can have."""

from __future__ import annotations

#: In the order in which they stand unless somebody asks for another.
COLUMNS = ("shape", "saved", "grad", "time", "line")
