"""Only its own `from __future__` counts: annotations are evaluated here."""


def function(x: print("evaluated") or int) -> None:
    code = compile("1", "x", "eval")
    return code.co_flags & ~0x1FFF


print(function(1), list(function.__annotations__))
