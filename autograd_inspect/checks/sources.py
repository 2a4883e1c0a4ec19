"""The lines of the program, as they are written: read where a rule or a person needs them."""

from __future__ import annotations

import ast
import linecache
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from autograd_inspect.model.places import Place

#: `# agi: ignore`, or `# agi: ignore[AGI101, inplace_on_saved]`.
_IGNORE = re.compile(r"#\s*agi:\s*ignore(?:\[([^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a program that was started in a directory."""

    start: str

    def lines(self, file: str) -> list[str]:
        """Give the lines of a file, none where it cannot be read."""
        return linecache.getlines(self.path(file))

    def line(self, place: Place | None) -> str:
        """Give a line without what stands around it, empty where it cannot be read."""
        lines = self.lines(place.file) if place is not None else []
        if place is None or not 0 < place.line <= len(lines):
            return ""
        return lines[place.line - 1].strip()

    def tree(self, file: str) -> ast.Module | None:
        """Give a file's syntax tree, None where it has none."""
        return _parsed("".join(self.lines(file)))

    def statement(self, place: Place) -> ast.stmt | None:
        """Give the innermost statement that a line belongs to."""
        tree = self.tree(place.file)
        found = [] if tree is None else [one for one in _statements(tree) if _has(one, place.line)]
        return min(found, key=_length, default=None)

    def function(self, place: Place) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Give the innermost function that a line belongs to."""
        tree = self.tree(place.file)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = ast.walk(tree) if tree is not None else ()
        found = [one for one in nodes if isinstance(one, kinds) and _has(one, place.line)]
        return min(found, key=_length, default=None)

    def class_at(self, place: Place) -> ast.ClassDef | None:
        """Give the innermost class that a line belongs to."""
        tree = self.tree(place.file)
        nodes = ast.walk(tree) if tree is not None else ()
        found = [one for one in nodes if isinstance(one, ast.ClassDef) and _has(one, place.line)]
        return min(found, key=_length, default=None)

    def binding_of(self, attribute: str, place: Place) -> Place | None:
        """Give the first line of the class at a line that binds `self.attribute`."""
        owner = self.class_at(place)
        for statement in ast.walk(owner) if owner is not None else ():
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                targets = getattr(statement, "targets", None) or [statement.target]  # type: ignore[union-attr]
                if any(_is_attribute(one, attribute) for one in targets):
                    return Place(place.file, statement.lineno, place.function)
        return None

    def ignored(self, place: Place | None) -> frozenset[str] | None:
        """Give the codes and slugs that a line's comment ignores; none for all, None for none.

        The comment may stand on any line of the statement.
        """
        if place is None:
            return None
        lines = self.lines(place.file)
        statement = self.statement(place)
        first, last = place.line, place.line
        if statement is not None and not hasattr(statement, "body"):
            first, last = statement.lineno, statement.end_lineno or last
        for line in lines[first - 1 : last]:
            found = _IGNORE.search(line)
            if found:
                return frozenset(one.strip() for one in (found[1] or "").split(",") if one.strip())
        return None

    def path(self, file: str) -> str:
        """Give the path under which python knows a file."""
        return file if file.startswith("<") else os.path.join(self.start, file)  # noqa: PTH118


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.stmt))


def _has(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _is_attribute(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno
