"""Text in a drawing: how wide it is, how to make all of it visible, how to shorten it.

No font library is asked: boxes must come out the same on every machine, whatever it has installed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Advance widths in thousandths of an em for U+0020 to U+007E, read from DejaVu Sans 2.37 (hmtx).
# It is wider than Helvetica, Arial, Liberation Sans and Segoe UI, whose bold it equals, so that
# text measured with it fits in any of them.
_ADVANCES = (
    *(318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337),
    *(636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531),
    *(1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787),
    *(603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500),
    *(500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612),
    *(635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838),
)
_WIDTH_OF = {chr(32 + place): width for place, width in enumerate(_ADVANCES)}
_WIDE, _OTHER = 1000, 700

# What XML forbids, what a terminal or DOT would act on, and what turns the reading order around.
_INVISIBLE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Replace control characters and the like by something to see; the rest stays as it is."""
    return _INVISIBLE.sub(_stand_in, text)


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def shortened(text: str, longest: int = 48) -> str:
    """Cut the middle out of a long text: of a dotted name both ends tell the most."""
    if len(text) <= longest:
        return text
    head = longest // 3
    return f"{text[:head]}…{text[head + 1 - longest :]}"


@lru_cache(maxsize=65536)
def text_width(text: str, size: float) -> float:
    """Give the width of a line of text at this font size, in the same unit."""
    return sum(_WIDTH_OF.get(char) or _unusual_width(char) for char in text) * size / 1000


def unusual_widths(texts: Iterable[str]) -> dict[str, int]:
    """Give the widths, in thousandths of an em, of all characters beyond ASCII in these texts."""
    unusual = sorted({char for text in texts for char in text if char not in _WIDTH_OF})
    return {char: _unusual_width(char) for char in unusual}


def _unusual_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return _WIDE if unicodedata.east_asian_width(char) in "WFA" else _OTHER
