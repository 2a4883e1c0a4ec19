"""Folds as a tree that is opened as far as somebody looks into it."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from autograd_inspect.model.folds import Folds
from autograd_inspect.passes.folding.reading import Reading, Thing
from autograd_inspect.renderers.items import Items
from autograd_inspect.renderers.text import Segment

#: So many of what lies side by side are listed at once.
_PAGE = 500
#: What the column on the right can show, none of it last.
HEATS = ("saved", "grad", "time", "")

#: Stands for what is not listed yet; the place of everything has it, too.
_MORE = Thing(-1, -1)

Place = TreeNode[Thing]


class FoldTree(Tree[Thing]):
    """Modules, repeats, chains and operations, the root first.

    A repeat shows one instance at a time; which one can be turned like a page.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "open_or_go_in", "open", show=False),
        Binding("left", "close_or_go_out", "close", show=False),
    ]

    def __init__(self, folds: Folds, items: Items) -> None:
        self.reading = Reading(folds)
        self.items = items
        self.heat = HEATS[0]
        self.instance_of: dict[int, int] = {}
        self.unlisted: dict[int, list[Thing]] = {}
        super().__init__(Text("graph"), data=_MORE)
        self.show_root = False
        self.guide_depth = 2

    def on_mount(self) -> None:
        """List what there is, and open it while it is one thing only."""
        self._fill(self.root, -1)
        self.root.expand()
        place = self.root
        while len(place.children) == 1 and place.children[0].allow_expand:
            place = place.children[0]
            self.open(place)
        self.cursor_line = 0

    def open(self, place: Place) -> None:
        """Open a fold."""
        if place.data is not None and place.allow_expand:
            if not place.children:
                self._fill(place, place.data.fold)
            if not place.is_expanded:
                place.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Thing]) -> None:
        """List what is in a fold when it is opened."""
        if event.node.data is not None and not event.node.children:
            self._fill(event.node, event.node.data.fold)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Thing]) -> None:
        """List more where that was asked for."""
        if event.node.data == _MORE and event.node.parent is not None:
            self._fill_further(event.node.parent)

    def turn(self, by: int) -> bool:
        """Show another instance of the repeat around the cursor; tells whether there is one."""
        place = self.cursor_node
        while place is not None and not (place.data and self.reading.is_repeat(place.data)):
            place = place.parent
        if place is None or place.data is None:
            return False
        times = int(self.reading.folds.table.times[place.data.fold])
        number = (self.instance_of.get(place.data.fold, 0) + by) % times
        line = self.cursor_line - place.line
        self._show_instance(place, number)
        self.open(place)
        self._settle()
        self.cursor_line = min(place.line + line, self.last_line)
        return True

    def reveal(self, thing: Thing) -> None:
        """Open all around a thing, turn to its instance, and put the cursor on it."""
        row = self.reading.span(thing)[0]
        place = self.root
        for fold in self.reading.way_to(thing):
            place = self._child(place, Thing(fold))
            if self.reading.is_repeat(Thing(fold)):
                self._show_instance(place, self.reading.folds.instance_at(fold, row))
            self.open(place)
        place = self._child(place, thing)
        self._settle()
        self.move_cursor(place)

    def expand_alike(self) -> int:
        """Open, or close, all that are listed and of one kind with that under the cursor."""
        place = self.cursor_node
        if place is None or place.data is None or not place.allow_expand:
            return 0
        like = self.reading.folds.table.like
        alike = [
            one
            for one in self._listed()
            if one.data and one.data.fold >= 0 and like[one.data.fold] == like[place.data.fold]
        ]
        opening = not place.is_expanded
        for one in alike:
            self.open(one) if opening else one.collapse()
        self._settle()
        self.move_cursor(place)
        return len(alike)

    def next_heat(self) -> str:
        """Show another figure on the right."""
        self.heat = HEATS[(HEATS.index(self.heat) + 1) % len(HEATS)]
        for place in self._listed():
            place.refresh()
        return self.heat

    def render_label(self, node: Place, base_style: Style, style: Style) -> Text:
        """Write a thing, and its figure in a column on the right."""
        text = super().render_label(node, base_style, style)
        if not self.heat or node.data is None or node.data == _MORE:
            return text
        figure, how = self._figure(node.data)
        depth, outer = 0, node.parent
        while outer is not None:
            depth, outer = depth + 1, outer.parent
        room = self.size.width - 3 - self.guide_depth * (depth - 1) - text.cell_len
        text.append(" " * max(room - len(figure), 2) + figure, how or None)
        return text

    def get_label_width(self, node: Place) -> int:
        """Give the width of a label alone: the column on the right needs none of its own."""
        return (node.label.cell_len if isinstance(node.label, Text) else len(node.label)) + 2

    def action_open_or_go_in(self) -> None:
        """Open what the cursor is on, or go to the first thing in it."""
        place = self.cursor_node
        if place is None or not place.allow_expand:
            return
        if place.is_expanded:
            self.cursor_line += 1
        else:
            self.open(place)

    def action_close_or_go_out(self) -> None:
        """Close what the cursor is on, or go to what is around it."""
        place = self.cursor_node
        if place is not None and place.allow_expand and place.is_expanded:
            place.collapse()
        elif place is not None and place.parent is not None and place.parent is not self.root:
            self.move_cursor(place.parent)

    def _figure(self, thing: Thing) -> Segment:
        text, style = self.items.cell(self.heat, thing.fold, thing.row)
        return text, style

    def _fill(self, place: Place, fold: int) -> None:
        things = self.reading.inside(fold, self.instance_of.get(fold, 0))
        self.unlisted[place.id] = things
        self._fill_further(place)

    def _fill_further(self, place: Place) -> None:
        """List the next page of what is in a fold."""
        if place.children and place.children[-1].data == _MORE:
            place.children[-1].remove()
        waiting = self.unlisted.pop(place.id, [])
        for thing in waiting[:_PAGE]:
            label = self._label(thing)
            if self.reading.opens(thing):
                place.add(label, data=thing)
            else:
                place.add_leaf(label, data=thing)
        if len(waiting) > _PAGE:
            self.unlisted[place.id] = waiting[_PAGE:]
            more = Text(f"{self.items.signs.ellipsis} {len(waiting) - _PAGE:,} more", "bold")
            place.add_leaf(more, data=_MORE)

    def _label(self, thing: Thing) -> Text:
        segments = [self.items.sign(thing.fold, thing.row), (" ", "")]
        segments += self.items.label(thing.fold, thing.row)
        if self.reading.is_repeat(thing):
            times = int(self.reading.folds.table.times[thing.fold])
            number = self.instance_of.get(thing.fold, 0) + 1
            segments.append((f"  < {number:,} of {times:,} >", "yellow"))
        first, stop = self.reading.span(thing)
        if stop - first == 1 and (leaves := self.items.leaves(first, stop, thing.fold)):
            segments += [("  ", ""), *self.items.leaves_in_few_words(leaves, 2)[0]]
        return Text.assemble(*((text, style) for text, style in segments))

    def _show_instance(self, place: Place, number: int) -> None:
        if place.data is None or self.instance_of.get(place.data.fold, 0) == number:
            return
        self.instance_of[place.data.fold] = number
        place.remove_children()
        place.set_label(self._label(place.data))
        if place.is_expanded:
            self._fill(place, place.data.fold)

    def _child(self, place: Place, thing: Thing) -> Place:
        """Find a thing among what is in a fold, however far down the list."""
        known = 0
        while True:
            for child in place.children[known:]:
                if child.data == thing:
                    return child
            known = len(place.children) - 1
            if place.id not in self.unlisted:
                return place
            self._fill_further(place)

    def _listed(self) -> list[Place]:
        found: list[Place] = []
        waiting = [self.root]
        while waiting:
            place = waiting.pop()
            found += place.children
            waiting += place.children
        return found

    def _settle(self) -> None:
        """Let the tree count its lines anew, which gives all places theirs."""
        _ = self.last_line
