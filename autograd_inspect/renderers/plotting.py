"""What all plots have in common: matplotlib without a screen, its looks, and its bytes.

matplotlib is an extra: it is imported here alone, and late.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autograd_inspect.errors import RenderError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What a plot can be written as.
FORMATS = ("png", "svg", "pdf")

#: Apart for colour-blind eyes (Okabe and Ito, 2008), darkest first.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_LOOKS: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.dpi": 150,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.fonttype": "none",
    "svg.hashsalt": "agi",
}


def check_installed() -> None:
    """Raise RenderError where matplotlib is not installed; it is looked for, and not imported."""
    if find_spec("matplotlib") is None:
        raise _missing()


@contextmanager
def looks() -> Iterator[None]:
    """Draw with our looks alone, whatever the program, or a file of the user's, has set.

    What matplotlib would warn of is not for the user, who did not call it.
    """
    try:
        from matplotlib import rc_context, rcdefaults, rcParams
    except ImportError as error:
        raise _missing() from error
    with warnings.catch_warnings(), rc_context():
        warnings.simplefilter("ignore")
        rcdefaults()
        rcParams.update(_LOOKS)
        yield


def new_figure(rows: int, *, height: float = 3.0, width: float = 8.0) -> tuple[Figure, list[Axes]]:
    """Make a figure of plots one below the other; `width`, and `height` of each, in inches.

    Raises RenderError where matplotlib is not installed.
    """
    with looks():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    return figure, list(axes)


def written(figure: Figure, kind: str) -> bytes:
    """Write a figure as one of `FORMATS`; the same figure gives the same bytes."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    stream = io.BytesIO()
    with looks():
        figure.savefig(stream, format=kind, metadata=undated)
    return stream.getvalue()


def label(name: str, *, longest: int = 60) -> str:
    """Write a name from the program so that matplotlib shows it as it is.

    Nothing in it is taken for a formula, what the font cannot show is escaped, and of a long one
    the beginning and more of the end is shown.
    """
    text = "".join(char if _shows(char) else _escape(char) for char in name)
    if len(text) > longest:
        begin = longest // 3
        text = f"{text[:begin]}…{text[begin + 1 - longest :]}"
    # matplotlib takes an escaped dollar for the sign itself, and two bare ones for a formula.
    return text.replace("$", r"\$")


@cache
def _shows(char: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    # Signs that are written from the right need joining and turning around, which is not done.
    if not char.isprintable() or _is_from_the_right(char):
        return False
    return bool(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_char_index(ord(char)))


def _is_from_the_right(char: str) -> bool:
    return unicodedata.bidirectional(char) in {"R", "AL"}


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _missing() -> RenderError:
    return RenderError(
        "plots need matplotlib, which is not installed",
        hint="pip install 'autograd-inspect[plot]'",
    )
