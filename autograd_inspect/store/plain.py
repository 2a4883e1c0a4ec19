"""Dataclasses to JSON and back, by their type hints: a field added there is a key here.

Keys that are not known are passed over and missing ones take the field's default, which is how a
reader gets along with files of other minor versions. Anything of the wrong type is a ValueError.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_json(value: object, indent: int | None = None) -> str:
    """Write any nesting of dataclasses, dicts, tuples and scalars, in ASCII."""
    return json.dumps(value, default=_as_dict, allow_nan=False, indent=indent)


def read_as(hint: Any, value: Any) -> Any:
    """Read what `json.loads` gave as an instance of `hint`."""
    if is_dataclass(hint):
        return _read_dataclass(hint, value)
    if get_origin(hint) is tuple:
        return _read_tuple(get_args(hint), value)
    if get_origin(hint) in (Union, UnionType):
        return _read_any_of(get_args(hint), value)
    if issubclass(hint, Enum):
        return hint(value)
    if type(value) is not hint:  # exactly: True must not pass for an int
        raise ValueError(f"{value!r:.40} is no {hint.__name__}")
    return value


def _read_dataclass(cls: Any, value: Any) -> Any:
    if type(value) is not dict:
        raise ValueError(f"{value!r:.40} is no {cls.__name__}")
    hints = _hints(cls)
    known = {
        field.name: read_as(hints[field.name], value[field.name])
        for field in fields(cls)
        if field.name in value
    }
    for field in fields(cls):
        if field.name not in known and field.default is field.default_factory is MISSING:
            raise ValueError(f"{cls.__name__} has no {field.name}")
    return cls(**known)


def _read_tuple(hints: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if type(value) is not list:
        raise ValueError(f"{value!r:.40} is no list")
    if hints[1:] != (...,):
        return tuple(read_as(hint, item) for hint, item in zip(hints, value, strict=True))
    if hints[0] is str and set(map(type, value)) <= {str}:  # names come by the million
        return tuple(value)
    return tuple(read_as(hints[0], item) for item in value)


def _read_any_of(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return read_as(hint, value)
        except ValueError:  # noqa: PERF203 - a union has two arms
            continue
    raise ValueError(f"{value!r:.40} is none of {hints}")


def _as_dict(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)
