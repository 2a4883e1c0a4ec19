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

    title     one line for the whole picture
    notes     what the reader must know of it: what is hidden, what is partial
    faces     the distinct looks
    face      per box, its row in `faces`
    node      per box, the number of its node in the graph, -1 where it stands for none
    name      per box, the program's name for it, mostly empty
    remark    per box, a line of its own, mostly empty
    sequence  per box, its node's sequence number, -1 where there is none
    source    per arrow, the box nearer to the root
    target    per arrow, the box nearer to the leaves
    label     per arrow, a text, mostly empty
    """

    title: str
    faces: tuple[Face, ...]
    face: list[int]
    node: list[int]
    name: list[str]
    remark: list[str]
    sequence: list[int]
    source: list[int]
    target: list[int]
    label: list[str]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the boxes."""
        return len(self.face)

    def heading(self, box: int) -> str:
        """Give the top line of a box: its own name if it has one."""
        return self.name[box] or self.faces[self.face[box]].title

    def lines(self, box: int) -> tuple[str, ...]:
        """Give the lines below the heading; a named box says there what it is."""
        face = self.faces[self.face[box]]
        lines = face.lines
        if self.name[box]:
            lines = (" ".join((face.title, *lines[:1])), *lines[1:])
        return (*lines, self.remark[box]) if self.remark[box] else lines

    def tip(self, box: int) -> tuple[str, ...]:
        """Give the lines that appear on hovering."""
        name, node, sequence = self.name[box], self.node[box], self.sequence[box]
        where = f"node {node}" if sequence < 0 else f"node {node}, sequence number {sequence}"
        return (
            *((name,) if name else ()),
            *self.faces[self.face[box]].tip,
            *((where,) if node >= 0 else ()),
        )

    def box_keys(self) -> list[str]:
        """Give each box a key that no other has: its node's number, with `-2` on a second box."""
        if len(set(self.node)) == len(self) and -1 not in self.node:
            return list(map(str, self.node))
        keys: list[str] = []
        seen: dict[int, int] = {}
        for node in self.node:
            seen[node] = count = seen.get(node, 0) + 1
            stem = str(node) if node >= 0 else "more"
            keys.append(stem if count == 1 and node >= 0 else f"{stem}-{count}")
        return keys
