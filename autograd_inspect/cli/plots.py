"""Where a verb writes its plot, and whether that is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from autograd_inspect.cli.terminal import check_free, say, write_file
from autograd_inspect.errors import UsageError
from autograd_inspect.renderers.plotting import FORMATS, check_installed

if TYPE_CHECKING:  # imports numpy, which is the program's to import first
    from autograd_inspect.api import PlotFormat


@dataclass(frozen=True, slots=True)
class Plot:
    """The file that a plot goes to, as the options say.

    place  the file, wherever the program may have gone in the meantime
    """

    path: Path
    force: bool = False
    place: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", self.path.absolute())

    @property
    def format(self) -> PlotFormat:
        """What it is written as, by the extension of the file."""
        extension = self.path.suffix.lower()
        if extension.removeprefix(".") not in FORMATS:
            raise UsageError(
                f"--plot {self.path}: no plot goes by the extension {extension or '(none)'}",
                hint=f"known: {' '.join(f'.{one}' for one in FORMATS)}",
            )
        return cast("PlotFormat", extension.removeprefix("."))

    def check(self) -> None:
        """Make sure, before any program runs, that it can be drawn and written."""
        _ = self.format
        check_free(self.path, force=self.force)
        check_installed()

    def write(self, draw: Callable[[PlotFormat], bytes]) -> None:
        """Draw it and write it."""
        write_file(draw(self.format), self.place, force=self.force)
        say(f"wrote {self.path}")
