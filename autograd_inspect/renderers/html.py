"""HTML: a page that holds the SVG and nothing else."""

from __future__ import annotations

_PAGE = """\
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


def render(svg: str) -> str:
    """Wrap SVG text in a page that may load nothing and run nothing."""
    title = svg.partition("<title>")[2].partition("</title>")[0]
    return _PAGE.format(title=title, svg=svg)
