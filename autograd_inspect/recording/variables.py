"""Which variable an expression is assigned to, read off the source.

The instruction that made a node has a position in the source since Python 3.11; the expression at
that position may be the whole right side of an assignment.
"""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType

Position = tuple[int, int, int, int]
"""First line, last line, first column, last column, as `co_positions` has them."""

#: What an expression is bound to when it is what a function gives back.
RETURNED = "return"


def binding(code: CodeType, offset: int) -> str:
    """Name what the expression at an instruction is assigned to; RETURNED where it is returned.

    Empty where it is only a part of another expression, and where the source cannot be read.
    """
    position = _position(code, offset)
    return _bindings(code.co_filename).get(position, "") if position else ""


def _position(code: CodeType, offset: int) -> Position | None:
    if not hasattr(code, "co_positions"):  # Python 3.10
        return None
    found = next(itertools.islice(code.co_positions(), offset // 2, None), None)
    if found is None or None in found:
        return None
    return found  # type: ignore[return-value]  # without None


@lru_cache(maxsize=256)
def _bindings(filename: str) -> Mapping[Position, str]:
    """Read a file once: the positions of all expressions that are assigned or returned."""
    source = "".join(linecache.getlines(filename))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {_place(node): name for node, name in _bound(tree) if hasattr(node, "end_lineno")}


def _bound(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target, *_], value=value):
                yield from _pairs(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _pairs(target, value)
            case ast.NamedExpr(target=target, value=value):
                yield from _pairs(target, value)
            case ast.AugAssign(target=target):
                yield node, ast.unparse(target)
            case ast.Return(value=ast.expr() as value) | ast.Lambda(body=value):
                yield value, RETURNED


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    match target, value:
        case ast.Tuple(names) | ast.List(names), ast.Tuple(values) if len(names) == len(values):
            for name, part in zip(names, values, strict=True):
                yield from _pairs(name, part)
        case ast.Tuple(names) | ast.List(names), _:
            yield value, ", ".join(map(ast.unparse, names))
        case _:
            yield value, ast.unparse(target)


def _place(node: ast.AST) -> Position:
    start, end = node.lineno, node.end_lineno  # type: ignore[attr-defined]
    return (start, end, node.col_offset, node.end_col_offset)  # type: ignore[attr-defined]
