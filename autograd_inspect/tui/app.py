"""`agi show --tui`: a capture to walk through, in any terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static, Tree

from autograd_inspect.model.capture import Capture
from autograd_inspect.passes.folding.build import fold
from autograd_inspect.passes.folding.reading import Thing
from autograd_inspect.passes.heat import gradient_norms
from autograd_inspect.renderers.items import Items
from autograd_inspect.renderers.summary import size_of
from autograd_inspect.renderers.text import glyphs, safe
from autograd_inspect.tui.about import WAYS, About
from autograd_inspect.tui.tree import FoldTree

_KEYS = (
    ("up, down", "go from line to line"),
    ("right, left, Enter", "open and close"),
    ("<, >", "the instance of a repeat before, after"),
    ("e", "open or close all that are alike"),
    ("/", "search operations, variables, modules, leaves"),
    ("l", "search leaves"),
    ("g", "go to a line of the program: model.py:12, or 12"),
    ("n, N", "what was found next, before"),
    ("u, i", "go to the first user, the first input"),
    ("1 ... 9", "go where the pane on the right says"),
    ("r", "go to the root"),
    ("h", "column on the right: saved, gradient, time, none"),
    ("?", "this help"),
    ("q", "quit"),
)


class Help(ModalScreen[None]):
    """The keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q", "dismiss", "close")]
    CSS = """
    Help { align: center middle; }
    Help > Static { width: auto; height: auto; padding: 1 2; border: round $accent; }
    """

    def compose(self) -> ComposeResult:
        """List them."""
        width = max(len(key) for key, _ in _KEYS)
        text = Text("\n").join(Text(f"{key:<{width}}  {what}") for key, what in _KEYS)
        yield Static(text)


class Browser(App[None]):
    """A tree of folds, and beside it what is known of the thing under the cursor."""

    CSS = """
    #tree { width: 2fr; }
    #side { width: 1fr; min-width: 30; border-left: solid $panel; padding: 0 1; }
    #state { height: 1; padding: 0 1; background: $panel; }
    #asked { display: none; }
    #asked.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("question_mark", "help", "help"),
        Binding("slash", "ask('search')", "search"),
        Binding("l", "ask('leaf')", "leaf", show=False),
        Binding("g", "ask('line')", "line"),
        Binding("n", "next(1)", "next", show=False),
        Binding("N", "next(-1)", "previous", show=False),
        Binding("e", "alike", "open alike"),
        Binding("h", "heat", "column"),
        Binding("less_than_sign", "turn(-1)", "instance before", show=False),
        Binding("greater_than_sign", "turn(1)", "instance after", show=False),
        Binding("u", "lead('user')", "user"),
        Binding("i", "lead('input')", "input"),
        Binding("r", "root", "root"),
        Binding("escape", "close", "close", show=False),
        *(Binding(str(way), f"way({way})", "go", show=False) for way in range(1, WAYS + 1)),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, capture: Capture, *, ascii: bool = False) -> None:  # noqa: A002 - named as the option
        super().__init__()
        folds = fold(capture)
        items = Items(folds, glyphs(ascii=ascii), gradient_norms(capture))
        self.folds_tree = FoldTree(folds, items)
        self.folds_tree.id = "tree"
        self.reading = self.folds_tree.reading
        self.about = About(self.reading, items)
        self.graph_size = size_of(capture.graph)
        self.asking = ""
        self.found: list[Thing] = []
        self.found_at = 0

    def compose(self) -> ComposeResult:
        """Put the tree on the left, the details on the right, and lines below."""
        with Horizontal():
            yield self.folds_tree
            with VerticalScroll(id="side", can_focus=False):
                yield Static(id="about")
        yield Input(id="asked")
        yield Static(id="state")
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the root."""
        self.say(self.graph_size)
        self.folds_tree.focus()

    def say(self, text: str) -> None:
        """Write the line of state."""
        self.query_one("#state", Static).update(Text(safe(text)))

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Thing]) -> None:
        """Tell of the thing under the cursor."""
        if event.node.data is not None and self._is_thing(event.node.data):
            self.query_one("#about", Static).update(self.about.text(event.node.data))
            self.query_one("#side").scroll_home(animate=False)

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help())

    def action_ask(self, what: str) -> None:
        """Ask what to search for."""
        asked = self.query_one("#asked", Input)
        self.asking = what
        asked.placeholder = {"line": "line: model.py:12, or 12"}.get(what, f"{what}:")
        asked.value = ""
        asked.add_class("open")
        asked.focus()

    def action_close(self) -> None:
        """Stop asking."""
        self.query_one("#asked", Input).remove_class("open")
        self.folds_tree.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search, and go to what is found first below the cursor."""
        self.action_close()
        if not event.value.strip():
            return
        search: Callable[[str], list[Thing]] = {
            "search": self.reading.named,
            "leaf": self.reading.using,
            "line": self.reading.made_at,
        }[self.asking]
        self.found = search(event.value)
        here = self._here()
        stop = self.reading.span(here)[1] if here else len(self.reading.folds) + 1
        below = (
            number
            for number, thing in enumerate(self.found)
            if self.reading.span(thing)[1] <= stop and thing != here
        )
        self.found_at = next(below, 0)
        self._show_found(event.value)

    def action_next(self, by: int) -> None:
        """Go to what was found next."""
        self.found_at += by
        self._show_found()

    def action_alike(self) -> None:
        """Open all that are alike."""
        number = self.folds_tree.expand_alike()
        self.say(f"{number:,} alike" if number else "nothing to open here")

    def action_heat(self) -> None:
        """Show another figure in the column on the right."""
        self.say(f"on the right: {self.folds_tree.next_heat() or 'nothing'}")

    def action_turn(self, by: int) -> None:
        """Show another instance of the repeat around the cursor."""
        if not self.folds_tree.turn(by):
            self.say("no repeat here")

    def action_root(self) -> None:
        """Go to the root."""
        if roots := self.reading.roots():
            self.folds_tree.reveal(self.reading.thing_of(roots[0]))

    def action_lead(self, which: str) -> None:
        """Go to the nearest user or input."""
        here = self._here()
        if here is None:
            return
        rows = self.reading.users(here) if which == "user" else self.reading.inputs(here)
        if rows:
            self.folds_tree.reveal(self.reading.thing_of(rows[0]))
        else:
            self.say(f"it has no {which}")

    def action_way(self, number: int) -> None:
        """Go where the pane says."""
        here = self._here()
        ways = self.about.ways(here) if here else []
        if number <= len(ways):
            self.folds_tree.reveal(self.reading.thing_of(ways[number - 1]))

    def _here(self) -> Thing | None:
        place = self.folds_tree.cursor_node
        thing = place.data if place else None
        return thing if thing is not None and self._is_thing(thing) else None

    def _is_thing(self, thing: Thing) -> bool:
        return thing.fold >= 0 or thing.row >= 0

    def _show_found(self, wanted: str = "") -> None:
        if not self.found:
            self.say(f"nothing goes by {wanted}" if wanted else "nothing was searched for")
            return
        self.found_at %= len(self.found)
        self.folds_tree.reveal(self.found[self.found_at])
        self.say(f"{self.found_at + 1:,} of {len(self.found):,} found")


def browse(capture: Capture, *, ascii: bool = False) -> None:  # noqa: A002 - named as the option
    """Let somebody walk through a capture until they have seen enough."""
    Browser(capture, ascii=ascii).run()
