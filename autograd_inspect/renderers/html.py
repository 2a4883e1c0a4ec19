"""HTML: one page that holds a folded graph and the viewer of it, and that may load nothing.

The data are inert: deflated, in base64, in a script element that no browser runs. Texts of the
user's program are nowhere else but in the title.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from autograd_inspect.layout.text import visible
from autograd_inspect.renderers.viewer.facts import Page, packed

__all__ = ["SCRIPTS", "Page", "render", "still"]

#: In the order in which they build on each other.
SCRIPTS = (
    "layout.js",
    "data.js",
    "scene.js",
    "opening.js",
    "words.js",
    "boxes.js",
    "grid.js",
    "placing.js",
    "paths.js",
    "marks.js",
    "heat.js",
    "look.js",
    "draw.js",
    "overview.js",
    "camera.js",
    "outline.js",
    "bars.js",
    "details.js",
    "search.js",
    "state.js",
    "app.js",
    "input.js",
    "main.js",
)
_STYLE = "viewer.css"


def render(page: Page) -> str:
    """Write the page."""
    sources = _sources()
    return Template(sources.page).substitute(
        policy=sources.policy,
        title=escape(visible(page.capture.about.source)),
        style=sources.style,
        scripts=sources.scripts,
        data=base64.b64encode(packed(page)).decode("ascii"),
    )


_STILL = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ margin: 0; background: #ffffff; }}
svg {{ display: block; margin: 0 auto; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14181d; }} }}
</style>
</head>
<body>
{svg}</body>
</html>
"""


def still(svg: str) -> str:
    """Wrap a picture that is not to be folded, as SVG text; the page may load and run nothing."""
    title = svg.partition("<title>")[2].partition("</title>")[0]
    return _STILL.format(title=title, svg=svg)


@dataclass(frozen=True, slots=True)
class _Sources:
    """The parts of the page that are the same for every graph."""

    page: str
    policy: str
    style: str
    scripts: str


@cache
def _sources() -> _Sources:
    folder = files("autograd_inspect.renderers.viewer")
    style, page, *scripts = (
        folder.joinpath(name).read_text("utf-8") for name in (_STYLE, "page.html", *SCRIPTS)
    )
    style = f"\n{style}"
    scripts = [f"\n{script}" for script in scripts]
    elements = [
        f'<script id="{name.removesuffix(".js")}-source">{script}</script>'
        for name, script in zip(SCRIPTS, scripts, strict=True)
    ]
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(map(_hash, scripts))}",
        f"style-src {_hash(style)}",
        "worker-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return _Sources(page, "; ".join(policy), style, "\n".join(elements))


def _hash(text: str) -> str:
    """Give the name by which a content security policy lets one script or style pass."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
