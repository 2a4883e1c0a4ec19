"""What every text output needs: safe names, numbers as people read them, colour as a second channel.

Text is built from segments, a text and the name of its style, and painted at the very end. No markup
is ever parsed, so a parameter called `[bold]` is printed as that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

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
    """Join segments to one line of text, with the codes of a terminal's own 16 colours or without."""
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
    return sum([cell_len(text) for text, _ in segments])


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: `1 node`, `12,345 nodes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def figure(value: float | complex, digits: int = 4) -> str:
    """Write a number with so many significant digits, always the same way: `0.0123`, `1.5e-07`."""
    if isinstance(value, complex):
        if not value.imag:
            return figure(value.real, digits)
        sign = "-" if math.copysign(1.0, value.imag) < 0 else "+"
        return f"{figure(value.real, digits)}{sign}{figure(abs(value.imag), digits)}j"
    if not math.isfinite(value):
        return repr(value)
    return f"{value:.{digits}g}" if value else "0"


def exact(value: float | complex) -> str:
    """Write a number so that reading it back gives the same one."""
    if isinstance(value, complex):
        return exact(value.real) if not value.imag else repr(value).strip("()")
    return repr(value)


def byte_size(count: int) -> str:
    """Write a number of bytes: `512 B`, `1.5 KB`, in powers of 1024."""
    if count < 1024:
        return f"{count} B"
    size, unit = float(count), "B"
    for unit in ("KB", "MB", "GB", "TB"):  # noqa: B007 - the last one is wanted
        size /= 1024
        if size < 1024:
            break
    return f"{size:.1f} {unit}"


def lines_of(lines: Iterable[str]) -> str:
    """End every line with a newline, whatever the platform: the stream translates."""
    return "".join(f"{line}\n" for line in lines)
