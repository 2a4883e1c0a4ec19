"""How much a line of rails tells: less, step by step, the narrower the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from autograd_inspect.renderers.text import Segment, width_of

#: So much of what follows the columns is worth a column: two leaves, mostly.
_ENOUGH = 16


@dataclass(frozen=True, slots=True)
class Detail:
    """What is written of each line.

    columns  figures
    scalars  what operations saved beside tensors
    brief    without the classes of modules
    behind   so much of what follows the columns has to fit, None for all
    """

    columns: tuple[str, ...]
    scalars: bool = True
    brief: bool = False
    behind: int | None = None


def details(columns: tuple[str, ...], *, chosen: bool) -> Iterator[Detail]:
    """Give what may be told, the fullest first; columns that somebody has chosen stay."""
    yield Detail(columns)
    yield Detail(columns, scalars=False)
    if not chosen:
        columns = _without(columns, "line")
        yield Detail(columns, scalars=False)
    yield Detail(columns, scalars=False, behind=_ENOUGH)
    if not chosen:
        columns = _without(columns, "grad")
        yield Detail(columns, scalars=False, behind=_ENOUGH)
    yield Detail(columns, scalars=False, brief=True, behind=_ENOUGH)
    if not chosen:
        columns = _without(columns, "shape")
        yield Detail(columns, scalars=False, brief=True, behind=_ENOUGH)
    yield Detail(columns, scalars=False, brief=True, behind=0)
    if not chosen:
        yield Detail((), scalars=False, brief=True, behind=0)


def _without(columns: tuple[str, ...], gone: str) -> tuple[str, ...]:
    return tuple(column for column in columns if column != gone)


def clipped(parts: list[Segment], width: int, ellipsis: str) -> list[Segment]:
    """Cut a line that is too long, and say that it is."""
    if width_of([("".join(text for text, _ in parts).rstrip(), "")]) <= width:
        return parts
    room = width - len(ellipsis)
    kept: list[Segment] = []
    for text, style in parts:
        shown = text
        while cell_len(shown) > room:
            shown = shown[:-1]
        kept.append((shown, style))
        room -= cell_len(shown)
        if shown != text:
            break
    return [*kept, (ellipsis, "bold")]
