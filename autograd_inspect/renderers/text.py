"""What every text output needs: safe names, readable numbers, colour as a second channel.

Text is built from segments, a text and the name of its style, and painted at the very end. No
markup is ever parsed, so a parameter called `[bold]` is printed as that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from autograd_inspect.model.flow import Cut, CutUse
from autograd_inspect.model.graph import Graph
from autograd_inspect.model.places import Module, Place
from autograd_inspect.model.rows import Node
from autograd_inspect.model.tables import Kind

_UNITS = ("KiB", "MiB", "GiB", "TiB")

Segment = tuple[str, str]
"""A text, and a style as rich writes it: `bold red`, empty for none."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that have a stand-in where there is no Unicode."""

    root: str = "◉"
    node: str = "●"
    view: str = "○"
    leaf: str = "◆"
    rail: str = "│ "
    branch: str = "├─"
    below: str = "↓"
    gives: str = "→"
    times: str = "×"
    gradient: str = "∇"
    repeat: str = "⋮"
    ellipsis: str = "…"
    dot: str = "·"
    bars: str = " ▁▂▃▄▅▆▇█"


UNICODE = Glyphs()
ASCII = Glyphs(
    root="@",
    node="*",
    view="o",
    leaf="<>",
    rail="| ",
    branch="+-",
    below="v",
    gives="->",
    times="x",
    gradient="grad",
    repeat=":",
    ellipsis="...",
    dot="-",
    bars=" .:-=+*#%",
)


def glyphs(*, ascii: bool) -> Glyphs:  # noqa: A002 - named as the option
    """Give the signs to draw with."""
    return ASCII if ascii else UNICODE


def safe(text: str, *, ascii: bool = False) -> str:  # noqa: A002 - named as the option
    """Show what does not print, or would turn a terminal's text around, as its escape."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii_escape(c) for c in text)
    return ascii_escape(text) if ascii and not text.isascii() else text


def ascii_escape(text: str) -> str:
    r"""Escape everything but printable ASCII, as Python does: `\n`, `\x1b`, `\u202e`."""
    return text.encode("unicode_escape").decode("ascii")


def paint(segments: Iterable[Segment], *, color: bool) -> str:
    """Join segments to one line of text, with or without the codes of a terminal's 16 colours."""
    if not color:
        return "".join([text for text, _ in segments]).rstrip()
    return "".join(
        [
            style_of(style).render(text, color_system=ColorSystem.STANDARD) if style else text
            for text, style in segments
        ]
    ).rstrip()


@cache
def style_of(style: str) -> Style:
    """Parse a style once."""
    return Style.parse(style)


def width_of(segments: Iterable[Segment]) -> int:
    """Count the terminal columns that segments take."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in segments])


def sign_of(node: Node, signs: Glyphs) -> Segment:
    """Give the sign that a node's line begins with."""
    if node.index in node.graph.roots_at:
        return f"{signs.root} ", "bold green"
    if node.leaf:
        return f"{signs.leaf} ", "magenta"
    if node.kind is Kind.VIEW:
        return f"{signs.view} ", "dim"
    return f"{signs.node} ", "yellow" if node.kind is Kind.CUSTOM else ""


def label_of(node: Node, signs: Glyphs) -> list[Segment]:
    """Write what ran, and behind it the leaf, or behind an arrow what its output is called."""
    arrow, plain = f" {signs.gives} ", signs.rail.isascii()
    label = [(safe(node.title, ascii=plain), "dim" if node.kind is Kind.VIEW else "")]
    roots = node.graph.roots_at.get(node.index, ())
    leaf = node.leaf
    if node.variable not in {"", *(root.name for root in roots)} and not leaf:
        label.append((arrow + safe(node.variable, ascii=plain), "green"))
    for root in roots:
        if root.name:
            label.append((arrow + safe(root.name, ascii=plain), "bold green"))
        if root.output:
            label.append((f" (output {root.output} of {len(node.outputs)})", "green"))
    if leaf and leaf.name:
        label.append((f" {safe(leaf.name, ascii=plain)}", "magenta"))
    return label


def gradient(norm: float, signs: Glyphs) -> Segment:
    """Write the size of a gradient: `∇0.5`; one that is zero or not finite stands out."""
    odd = not math.isfinite(norm) or not norm
    gap = " " if len(signs.gradient) > 1 else ""
    return f"{signs.gradient}{gap}{figure(norm)}", "bold red" if odd else "dim"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: `1 node`, `12,345 nodes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(count: int) -> str:
    """Write a number of bytes: `0 B`, `512 B`, `1.5 KiB`, `12.4 MiB`."""
    if count < 1024:
        return f"{count} B"
    value, unit = float(count), -1
    while round(value, 1) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}"


def duration(nanoseconds: int, *, ascii: bool = False) -> str:  # noqa: A002 - named as the option
    """Write a time with three digits: `850 ns`, `1.25 µs`, `12.5 ms`, `2 min 5 s`."""
    if nanoseconds >= 59.95e9:
        minutes, seconds = divmod(round(nanoseconds / 1e9), 60)
        return f"{minutes} min {seconds} s"
    value, units = float(nanoseconds), ["ns", "us" if ascii else "µs", "ms", "s"]
    while float(f"{value:.3g}") >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{float(f'{value:.3g}'):g} {units[0]}"


def percent(share: float) -> str:
    """Write a share, never rounded to all or nothing."""
    if share in {0.0, 1.0}:
        return f"{share:.0%}"
    return f"{min(max(share, 0.001), 0.999):.1%}"


def listed(names: Sequence[str], *, most: int) -> str:
    """Join names by commas, those beyond `most` as their number; one more is written out."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def figure(value: complex, digits: int = 4) -> str:
    """Write a number with so many significant digits, always the same way: `0.0123`, `1.5e-07`."""
    if isinstance(value, complex):
        if not value.imag:
            return figure(value.real, digits)
        sign = "-" if math.copysign(1.0, value.imag) < 0 else "+"
        return f"{figure(value.real, digits)}{sign}{figure(abs(value.imag), digits)}j"
    if not math.isfinite(value):
        return repr(value)
    return f"{value:.{digits}g}" if value else "0"


def exact(value: complex) -> str:
    """Write a number so that reading it back gives the same one."""
    if isinstance(value, complex):
        return exact(value.real) if not value.imag else repr(value).strip("()")
    return repr(value)


#: Scalars at the value an operation has by default say nothing; with None there is no value that
#: the shape, or the operation's name, does not tell.
_BORING: dict[str, object] = {
    "alpha": 1,
    "approximate": "none",
    "beta": 1,
    "correction": 1,
    "dilation": 1,
    "eps": None,
    "groups": 1,
    "ignore_index": -100,
    "keepdim": False,
    "normalized_shape": None,
    "output_padding": 0,
    "padding": 0,
    "padding_idx": -1,
    "reduction": 1,
    "scale_grad_by_freq": False,
    "sparse": False,
    "stride": 1,
    "training": True,
    "transposed": False,
}


@lru_cache(maxsize=4096)
def telling_scalars(attributes: str) -> tuple[str, ...]:
    """Write the saved scalars that say something, `exponent=2`, from their JSON."""
    return tuple(
        f"{name}={_plain(value)}"
        for name, value in json.loads(attributes).items()
        if not _is_boring(name, value)
    )


def _is_boring(name: str, value: object) -> bool:
    if value in (None, "", [], {}):
        return True
    if name not in _BORING:
        return False
    usual = _BORING[name]
    parts = value if isinstance(value, list) else [value]
    return usual is None or all(part == usual for part in parts)


def _plain(value: object) -> object:
    """Write a float as users do: no `.0` behind a whole number, six digits of any other."""
    return figure(value, digits=6) if isinstance(value, float) else value


class Origins:
    """Where things of a graph come from, in as few words as tell them apart."""

    def __init__(self, graph: Graph) -> None:
        innermost = {stack.lines[0] for stack in graph.stacks if stack.lines}
        self.in_one_file = len({graph.places[row].file for row in innermost}) == 1
        self._tails = tails_of(place.file for place in graph.places)
        self._name_of_module = graph.module_name
        self._times = graph.calls_of
        self._modules = graph.modules
        self._calls = graph.call_table
        #: Made once per row: a million nodes share a few thousand lines and calls.
        self.place_of_stack = cache(lambda row: self.place(graph.place_of(row)))
        self.module_of_call = cache(self._module_of_call)

    def place(self, place: Place | None) -> str:
        """Write a line as `model.py:12`; with folders where files share a name; empty for None."""
        return f"{self._tails.get(place.file, place.file)}:{place.line}" if place else ""

    def module(self, module: Module | None) -> str:
        """Write a module's path, behind its owner where the graph has several; empty for None."""
        return self._name_of_module(module) if module is not None else ""

    def call(self, row: int) -> str:
        """Write a module call: its path, and which call it was where there are several."""
        return " ".join(part for part in (self.module_of_call(row)[0], self.number(row)) if part)

    def module_cell(self, row: int, signs: Glyphs, *, classes: bool = True) -> list[Segment]:
        """Write a module call with its class, as a column has it."""
        path, cls, _ = self.module_of_call(row)
        plain = signs.rail.isascii()
        number = self.number(row)
        parts = [
            (safe(path, ascii=plain), ""),
            (f" ({safe(cls, ascii=plain)})" if cls and classes else "", "dim"),
            (f" {number}" if number else "", ""),
        ]
        return [part for part in parts if part[0]]

    def number(self, row: int) -> str:
        """Write `call 2` where its module is called several times, else nothing."""
        several = row >= 0 and self._times[int(self._calls.module[row])] > 1
        return f"call {self._calls.number[row]}" if several else ""

    def cut(self, cut: Cut) -> str:
        """Say in a sentence where a cut is and what it did."""
        where = f"{place}: " if (place := self.place(cut.place)) else ""
        region = f" at {self.place(cut.region)}" if cut.region else ""
        raised = ", and raised" if cut.raised else ""
        return f"{where}{cut.op} {cut.kind.text}{region}{raised}"

    def use(self, use: CutUse) -> str:
        """Say where a value went: `mul at model.py:15 (node #4)`."""
        where = f" at {place}" if (place := self.place(use.place)) else ""
        return f"{use.op}{where}" + (f" (node #{use.node.index})" if use.node else "")

    def _module_of_call(self, row: int) -> tuple[str, str, str]:
        """Give the path as it is shown, the class, and the whole path; empty for -1."""
        if row < 0:
            return "", "", ""
        module = self._modules[int(self._calls.module[row])]
        shown = self.module(module)
        return shown, module.cls if module.cls != shown else "", module.full_name


def tails_of(files: Iterable[str]) -> dict[str, str]:
    """Give for each file as much of the end of its path as tells it from the others."""
    tails: dict[str, str] = {}
    crowded = {file: file.replace("\\", "/").split("/") for file in files}
    parts = 1
    while crowded:
        groups: dict[str, list[str]] = {}
        for file, steps in crowded.items():
            groups.setdefault("/".join(steps[-parts:]), []).append(file)
        for tail, group in groups.items():
            if len(group) == 1 or all(len(crowded[file]) <= parts for file in group):
                tails.update((file, tail if len(group) == 1 else file) for file in group)
        crowded = {file: steps for file, steps in crowded.items() if file not in tails}
        parts += 1
    return tails
