"""Where in the program something happened: lines, stacks of lines, modules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program. `file` is relative to the starting directory if below it."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        inside = "" if self.function in {"", "<module>"} else f" in {self.function}"
        return f"{self.file}:{self.line}{inside}"

    @property
    def short(self) -> str:
        """File name and line: `model.py:12`."""
        return f"{self.file.replace(chr(92), '/').rpartition('/')[2]}:{self.line}"


@dataclass(frozen=True, slots=True)
class Stack:
    """The lines that led to an operation, innermost first, as rows of `Graph.places`.

    lines    lines of the user's own code; of installed libraries where there is no other
    library  the innermost line of an installed library, where it lies further in than `lines`
    """

    lines: tuple[int, ...]
    library: int = -1


@dataclass(frozen=True, slots=True)
class Module:
    """An `nn.Module` of the program.

    owner  the variable that leads to the outermost module, empty where none does
    path   from the outermost module: `h.3.attn.c_proj`; empty for that one itself
    cls    its class: `Linear`
    """

    owner: str
    path: str
    cls: str

    @property
    def full_name(self) -> str:
        """Owner and path: what the names of the module's own parameters begin with."""
        return ".".join(part for part in (self.owner, self.path) if part)

    @property
    def name(self) -> str:
        """The path as `named_modules` has it; the owner, or the class, of an outermost module."""
        return self.path or self.owner or self.cls
