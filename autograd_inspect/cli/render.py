"""`agi render`: draw the graph."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograd_inspect.cli.options import Coloring, Engine, Format
from autograd_inspect.cli.source import Running, obtain
from autograd_inspect.cli.terminal import Results, check_free, say, write_file
from autograd_inspect.errors import UsageError
from autograd_inspect.model.selection import Selection

_EXTENSIONS = {f".{one.value}": one for one in Format} | {".gv": Format.DOT, ".mmd": Format.MERMAID}
#: What the names of picture files end in.
PICTURES = frozenset(_EXTENSIONS) - {".json"}
_TEXTS = {Format.DOT, Format.MERMAID, Format.JSON}

if TYPE_CHECKING:
    from autograd_inspect.model.capture import Capture


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw and where to put it, as the options say."""

    formats: tuple[Format, ...] = ()
    output: Path | None = None
    selection: Selection = field(default_factory=Selection)
    link: str = ""
    reverse: bool = False
    engine: Engine = Engine.OWN
    scale: float = 2.0
    color: Coloring = Coloring.KIND
    force: bool = False
    open: bool = False

    @property
    def format(self) -> Format:
        """The one format asked for by flag, else by the file's extension, else SVG."""
        if len(self.formats) > 1:
            names = " and ".join(one.value for one in self.formats)
            raise UsageError(f"{names}: one format at a time")
        if self.formats:
            return self.formats[0]
        if self.output is None or str(self.output) == "-":
            return Format.SVG
        extension = self.output.suffix.lower()
        if extension not in _EXTENSIONS:
            raise UsageError(
                f"{self.output}: no format goes by the extension {extension or '(none)'}",
                hint=f"known: {' '.join(_EXTENSIONS)}; or say it with -f",
            )
        return _EXTENSIONS[extension]

    @property
    def to_stdout(self) -> bool:
        """Whether it goes to stdout: asked for, or text, or a picture into a pipe."""
        if self.output is not None:
            return str(self.output) == "-"
        return self.format in _TEXTS or not sys.stdout.isatty()

    @property
    def extension(self) -> str:
        """What the name of a file in this format ends in."""
        return {Format.MERMAID: "mmd"}.get(self.format, self.format.value)

    def refuse_binary(self) -> None:
        """Raise UsageError where it would go to a terminal that cannot show it."""
        if self.format in {Format.PNG, Format.PDF} and sys.stdout.isatty():
            raise UsageError(
                f"a terminal cannot show {self.format.value}", hint="-o FILE writes it to a file"
            )

    def show(self, path: Path) -> None:
        """Open the file it was written to, if that is asked for."""
        if self.open:
            webbrowser.open(path.absolute().as_uri())


def render(source: str | None, arguments: Sequence[str], running: Running, picture: Picture) -> int:
    """Draw a capture and write the picture, or print it where a pipe or `-` asks for it."""
    results = Results()
    if picture.to_stdout:
        picture.refuse_binary()
        results.set_apart()
    elif picture.output is not None:
        check_free(picture.output, force=picture.force)

    def use(capture: Capture, path: Path | None) -> int:
        from autograd_inspect.api import render as draw

        drawing = draw(
            capture,
            picture.format.value,
            selection=picture.selection,
            link=picture.link,
            reverse=picture.reverse,
            engine=picture.engine.value,
            scale=picture.scale,
            color=picture.color.value,
            tell=lambda note: say(f"agi: {note}"),
        )
        if picture.to_stdout:
            results.write(drawing)
            return 0
        beside = (path or Path("graph.agi")).with_suffix(f".{picture.extension}")
        output = picture.output or beside
        # A picture beside its capture is ours to draw anew.
        write_file(drawing, output, force=picture.force or picture.output is None)
        say(f"wrote {output}")
        picture.show(output)
        return 0

    return obtain(source, arguments, running, use)
