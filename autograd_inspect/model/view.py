"""A view: what is to be shown of a graph, before it is known how.

Passes make and change views, renderers and the layout read them. A view is columns like the graph:
most boxes look like many others, so a box is a row number into `faces`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """What a box stands for; decides its colour."""

    ROOT = "root"
    LEAF = "leaf"
    OPERATION = "operation"
    VIEW = "view"
    CUSTOM = "custom"
    MORE = "more"

    @property
    def label(self) -> str:
        """The word in the legend."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = {
    Role.ROOT: "root",
    Role.LEAF: "leaf",
    Role.OPERATION: "operation",
    Role.VIEW: "view",
    Role.CUSTOM: "custom function",
    Role.MORE: "not shown",
}


@dataclass(frozen=True, slots=True)
class Face:
    """How a box reads: a title, lines below it, and lines that appear on hovering."""

    title: str
    role: Role
    lines: tuple[str, ...] = ()
    tip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Boxes and arrows.

    title   one line for the whole picture
    notes   what the reader must know of it: what is hidden, what is partial
    faces   the distinct looks
    face    per box, its row in `faces`
    node    per box, the number of its node in the graph, -1 where it stands for none
    source  per arrow, the box nearer to the root
    target  per arrow, the box nearer to the leaves
    label   per arrow, a text, mostly empty
    """

    title: str
    faces: tuple[Face, ...]
    face: list[int]
    node: list[int]
    source: list[int]
    target: list[int]
    label: list[str]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the boxes."""
        return len(self.face)
