"""A view: what is to be shown of a graph, before it is known how.

Passes make and change views, renderers and the layout read them. A view is columns like the graph:
most boxes look like many others and come from where many others come from, so a box is a row number
into `faces` and one into `origins`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograd_inspect.model.places import Place


class Role(str, Enum):
    """What a box stands for; decides its colour."""

    ROOT = "root"
    LEAF = "leaf"
    OPERATION = "operation"
    VIEW = "view"
    CUSTOM = "custom"
    MODULE = "module"
    REPEAT = "repeat"
    CHAIN = "chain"
    MORE = "more"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"

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
    Role.MODULE: "module, closed",
    Role.REPEAT: "several alike",
    Role.CHAIN: "chain of operations",
    Role.MORE: "not shown",
    Role.ADDED: "+ added",
    Role.REMOVED: "- removed",
    Role.CHANGED: "~ changed",
    Role.SAME: "unchanged",
}


#: Levels of heat: from 0 to HOTTEST, and three that are none.
HOTTEST = 6
NO_HEAT, ZERO, NOT_FINITE = -1, -2, -3


@dataclass(frozen=True, slots=True)
class Scale:
    """What colours stand for: a title, and the figures at the cold and at the hot end."""

    title: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Face:
    """How a box reads: a title, lines below it, and lines that appear on hovering."""

    title: str
    role: Role
    lines: tuple[str, ...] = ()
    tip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a box comes from: lines below those of its face, and lines that appear on hovering."""

    lines: tuple[str, ...] = ()
    tip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around boxes: one call of a module. `parent` is the group it lies in, -1 for none."""

    label: str
    parent: int = -1
    tip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Boxes and arrows, and frames around boxes.

    title     one line for the whole picture
    notes     what the reader must know of it: what is hidden, what is partial
    faces     the distinct looks
    origins   the distinct places that boxes come from
    groups    the frames, each right before all that lie in it
    face      per box, its row in `faces`
    origin    per box, its row in `origins`
    group     per box, its row in `groups`: the innermost frame around it, -1 for none
    node      per box, the number of its node in the graph, -1 where it stands for none, and -2 - f
              where it is fold f
    name      per box, the program's name for it, mostly empty
    variable  per box, the variable that its output was bound to, mostly empty
    remark    per box, a line of its own, mostly empty
    sequence  per box, its node's sequence number, -1 where there is none
    source    per arrow, the box nearer to the root
    target    per arrow, the box nearer to the leaves
    label     per arrow, a text, mostly empty
    carried   per arrow, whether it leads from one turn of a folded loop to the next, so that it
              leads back up where one turn is shown; empty where none does
    heat      per box, its level of heat; empty where boxes are coloured by what they are
    scale     what the heat stands for
    place     per box, the line that made it; may be left out
    """

    title: str
    faces: tuple[Face, ...]
    origins: tuple[Origin, ...]
    groups: tuple[Group, ...]
    face: list[int]
    origin: list[int]
    group: list[int]
    node: list[int]
    name: list[str]
    variable: list[str]
    remark: list[str]
    sequence: list[int]
    source: list[int]
    target: list[int]
    label: list[str]
    notes: tuple[str, ...] = ()
    carried: tuple[bool, ...] = ()
    heat: tuple[int, ...] = ()
    scale: Scale | None = None
    place: tuple[Place | None, ...] = ()

    def __len__(self) -> int:
        """Count the boxes."""
        return len(self.face)

    def heading(self, box: int) -> str:
        """Give the top line of a box: its own name if it has one, else as the program has it."""
        title, variable = self.faces[self.face[box]].title, self.variable[box]
        return self.name[box] or (f"{variable} = {title}" if variable else title)

    def lines(self, box: int) -> tuple[str, ...]:
        """Give the lines below the heading; a named box says there what it is."""
        face = self.faces[self.face[box]]
        lines = face.lines
        if self.name[box]:
            lines = (" ".join((face.title, *lines[:1])), *lines[1:])
        remark = (self.remark[box],) if self.remark[box] else ()
        return (*lines, *self.origins[self.origin[box]].lines, *remark)

    def tip(self, box: int) -> tuple[str, ...]:
        """Give the lines that appear on hovering."""
        node, sequence = self.node[box], self.sequence[box]
        where = f"node {node}" if sequence < 0 else f"node {node}, sequence number {sequence}"
        return (
            *((self.heading(box),) if self.name[box] or self.variable[box] else ()),
            *self.faces[self.face[box]].tip,
            *self.origins[self.origin[box]].tip,
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
            stem = str(node) if node >= 0 else "more" if node == -1 else f"fold{-2 - node}"
            keys.append(stem if count == 1 and node != -1 else f"{stem}-{count}")
        return keys
