"""Type hints that are looked up in `sys.modules["__main__"]`."""
from __future__ import annotations

import dataclasses
import typing


@dataclasses.dataclass
class Config:
    size: int = 3
    parent: Config | None = None
    names: typing.ClassVar[list[str]] = []


print([field.name for field in dataclasses.fields(Config)])
print(typing.get_type_hints(Config)["parent"] in (typing.Optional[Config], Config | None))
print(dataclasses.replace(Config(), size=5))
