"""The colours of a drawing, one set for light paper and one for dark.

Heat grows with the lightness of its colour alone, so that it can be read without seeing hues. Text
keeps a contrast of at least 4.5 to 1 with what is below it (WCAG AA). Blue, amber and purple
stay apart for colour-blind eyes, and roles differ in shape too: corners, width of line, dashes.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.model.view import NOT_FINITE, ZERO, Role


@dataclass(frozen=True, slots=True)
class Shape:
    """How a box of one role looks, colours aside."""

    line_width: float = 1.0
    corner: float = 5.0
    dashed: bool = False
    loud: bool = True


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of paper, text, quieter text and arrows; fill and line of boxes and frames.

    Boxes have them by role, and by level where heat is shown; frames alternate between two fills,
    so that inner ones stand out.
    """

    paper: str
    text: str
    quiet: str
    arrow: str
    boxes: dict[Role, tuple[str, str]]
    frames: tuple[str, str]
    frame_line: str
    heat: dict[int, str]

    def frame(self, depth: int) -> str:
        """Give the fill of a frame that lies in so many others."""
        return self.frames[depth % 2]

    def heading(self, role: Role) -> str:
        """Give the colour of a heading: what computes nothing stays in the background."""
        return self.text if SHAPES[role].loud else self.quiet


SHAPES = {
    Role.ROOT: Shape(line_width=2.0),
    Role.LEAF: Shape(corner=14.0),
    Role.OPERATION: Shape(),
    Role.VIEW: Shape(loud=False),
    Role.CUSTOM: Shape(line_width=2.0, corner=0.0),
    Role.MODULE: Shape(corner=8.0),
    Role.REPEAT: Shape(line_width=3.0, corner=8.0),
    Role.CHAIN: Shape(line_width=2.0, loud=False),
    Role.MORE: Shape(dashed=True, loud=False),
    Role.ADDED: Shape(line_width=2.5),
    Role.REMOVED: Shape(line_width=2.0, dashed=True),
    Role.CHANGED: Shape(line_width=1.6, corner=0.0),
    Role.SAME: Shape(line_width=0.8, loud=False),
}

FRAME_CORNER = 8.0

#: Fonts that are metrically close, the narrower ones first; boxes are measured for the widest.
FONTS = "Helvetica, Arial, 'Liberation Sans', 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

LIGHT = Palette(
    paper="#ffffff",
    text="#1f2933",
    quiet="#4b5866",
    arrow="#7b8794",
    boxes={
        Role.ROOT: ("#fdefd2", "#b7791f"),
        Role.LEAF: ("#e2eefb", "#4a86c8"),
        Role.OPERATION: ("#f3f5f8", "#9aa5b4"),
        Role.VIEW: ("#ffffff", "#c0c8d2"),
        Role.CUSTOM: ("#f5e8f6", "#8e4fa8"),
        Role.MODULE: ("#e3f0ef", "#4b8b87"),
        Role.REPEAT: ("#e3f0ef", "#4b8b87"),
        Role.CHAIN: ("#f3f5f8", "#9aa5b4"),
        Role.MORE: ("#ffffff", "#7b8794"),
        Role.ADDED: ("#d7f2dc", "#2e7d46"),
        Role.REMOVED: ("#fbdcd9", "#b83a32"),
        Role.CHANGED: ("#fdedc8", "#a66a08"),
        Role.SAME: ("#fbfcfd", "#c8d0da"),
    },
    frames=("#f8fafc", "#eceff4"),
    frame_line="#cbd3dd",
    heat=dict(
        enumerate(["#fffdf2", "#fff3cf", "#fde3a7", "#fbcd80", "#f6b263", "#ef9659", "#e57f5f"])
    )
    | {ZERO: "#dfe9f5", NOT_FINITE: "#e3b5ec"},
)

DARK = Palette(
    paper="#14181d",
    text="#e6eaf0",
    quiet="#aeb8c4",
    arrow="#77859a",
    boxes={
        Role.ROOT: ("#43310f", "#d99a35"),
        Role.LEAF: ("#17304d", "#5b93d1"),
        Role.OPERATION: ("#222932", "#5a6778"),
        Role.VIEW: ("#14181d", "#414c5a"),
        Role.CUSTOM: ("#3a2342", "#b877c9"),
        Role.MODULE: ("#16353a", "#5aa39e"),
        Role.REPEAT: ("#16353a", "#5aa39e"),
        Role.CHAIN: ("#222932", "#5a6778"),
        Role.MORE: ("#14181d", "#77859a"),
        Role.ADDED: ("#173d24", "#5cbf7a"),
        Role.REMOVED: ("#4a1d1b", "#e0766e"),
        Role.CHANGED: ("#43310f", "#d99a35"),
        Role.SAME: ("#171b21", "#414c5a"),
    },
    frames=("#191e25", "#20262f"),
    frame_line="#38424f",
    heat=dict(
        enumerate(["#191c20", "#2a2418", "#3f2f18", "#573a1a", "#70431c", "#8a4a20", "#a34f28"])
    )
    | {ZERO: "#16324f", NOT_FINITE: "#6a2a78"},
)
