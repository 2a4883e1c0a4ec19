"""PNG, from our own SVG, by resvg: no browser and no system library."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from types import ModuleType

from autograd_inspect.errors import RenderError
from autograd_inspect.layout.palette import FONTS

# resvg and whatever shows the picture hold it as four bytes per pixel: this is 256 MB.
_MOST_PIXELS = 64_000_000
_LONGEST_SIDE = 32_000
_SIZE = re.compile(r'<svg [^>]*width="([\d.]+)" height="([\d.]+)"')
_LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">'
    f'<text y="14" font-family="{FONTS}">{{}}</text></svg>'
)


def render(svg: str, *, scale: float = 2.0, tell: Callable[[str], None] | None = None) -> bytes:
    """Draw SVG text as pixels; `tell` hears of it where the picture had to be made smaller."""
    resvg = _resvg()
    if not _has_fonts():
        raise RenderError(
            "no font was found, so a PNG would be without text",
            hint="install one (on Debian: apt install fonts-dejavu-core), or render SVG",
        )
    fitting = _fitting_scale(svg, scale)
    if fitting < scale and tell is not None:
        tell(f"the picture is too large for scale {scale:g}: drawn at {fitting:.2g}; SVG is not")
    try:
        return bytes(resvg.svg_to_bytes(svg_string=svg, zoom=fitting))
    except ValueError as error:
        raise RenderError(f"resvg could not draw the picture: {error}") from error


def _resvg() -> ModuleType:
    try:
        import resvg_py
    except ImportError as error:
        raise RenderError(
            "PNG needs resvg-py, which is not installed", hint="pip install resvg-py"
        ) from error
    return resvg_py


@cache
def _has_fonts() -> bool:
    """Find out whether resvg draws text at all: without fonts it leaves it out without a word."""
    draw = _resvg().svg_to_bytes
    return bool(draw(svg_string=_LETTER.format("M")) != draw(svg_string=_LETTER.format("")))


def _fitting_scale(svg: str, scale: float) -> float:
    size = _SIZE.match(svg)
    if size is None:
        raise RenderError("not an SVG of ours: it does not begin with its size")
    width, height = float(size[1]), float(size[2])
    return min(scale, _LONGEST_SIDE / max(width, height), math.sqrt(_MOST_PIXELS / width / height))
