"""The colours can be read."""

from __future__ import annotations

import pytest

from autograd_inspect.layout.palette import DARK, LIGHT, SHAPES, Palette
from autograd_inspect.model.view import Role


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_every_box(palette: Palette) -> None:
    for role, (fill, _) in palette.boxes.items():
        assert contrast(palette.heading(role), fill) >= 4.5
        assert contrast(palette.quiet, fill) >= 4.5
    assert contrast(palette.text, palette.paper) >= 4.5
    assert contrast(palette.arrow, palette.paper) >= 3
    for fill in palette.frames:
        assert contrast(palette.quiet, fill) >= 4.5
        assert contrast(palette.arrow, fill) >= 3


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_roles_that_matter_have_a_line_that_is_seen(palette: Palette) -> None:
    changed = (Role.ADDED, Role.REMOVED, Role.CHANGED)
    for role in (Role.ROOT, Role.LEAF, Role.CUSTOM, Role.MORE, *changed):
        assert contrast(palette.boxes[role][1], palette.paper) >= 3


def test_no_two_roles_look_alike_without_colour() -> None:
    shapes = [shape for role, shape in SHAPES.items() if role is not Role.OPERATION]
    assert len(set(shapes)) == len(shapes)
