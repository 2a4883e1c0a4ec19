"""Rails: a scene line by line, root first, and the rails that lead from users to what they use.

Left of every line are cells, one per lane. A rail begins where an item uses another, runs down its
lane and ends where the other's line comes. All horizontal pieces of a line belong to its one item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from autograd_inspect.model.folds import Scene
from autograd_inspect.model.tables import Bytes, Ints, Longs

#: Lanes that are drawn; what runs in others is counted, and their items stand in a last cell.
LANES = 8


class Joint(IntFlag):
    """What of a cell's middle leads where; a whole rail with a line behind it has all but NODE.

    UP, DOWN  its rail comes from the line above, goes on in the one below
    LEFT, RIGHT  a horizontal piece leads there
    NODE  the line's item stands here
    BEHIND  the horizontal piece passes behind the rail, and does not touch it
    """

    UP = 1
    DOWN = 2
    LEFT = 4
    RIGHT = 8
    NODE = 16
    BEHIND = 32


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a line stands for that was left out to fit the screen."""

    items: int
    nodes: int


@dataclass(frozen=True, eq=False)
class Rails:
    """The lines shown of a scene.

    item    per line, the item of the scene that stands in it; -1 in the head of open folds and in
            a line that stands for others
    indent  per line, how many heads it is below
    heads   the open folds that begin in a line, outer ones first; with an item these are folds that
            hold nothing else
    cells   per line, `LANES` lanes and one cell for all others, each a `Joint`
    hidden  per line, how many rails run in lanes that are not drawn
    skipped  the line that stands for others, if any, by its number
    """

    scene: Scene
    item: Ints
    indent: Ints
    heads: Mapping[int, tuple[int, ...]]
    cells: Bytes
    hidden: Longs
    skipped: Mapping[int, Skipped]

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.item)
