"""What every text output needs: safe names, readable numbers, colour as a second channel.

Text is built from segments, a text and the name of its style, and painted at the very end. No
markup is ever parsed, so a parameter called `[bold]` is printed as that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

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
    times: str = "×"  # noqa: RUF001 - a multiplication sign is meant
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


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: `1 node`, `12,345 nodes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


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
