"""Reads its own source through inspect."""
import inspect
import sys


def function():
    return inspect.currentframe().f_lineno  # this line


class Thing:
    """A thing."""


print(inspect.getsource(function))
print(inspect.getsource(Thing))
print(inspect.getsourcefile(function) == __file__, inspect.getmodule(function) is sys.modules["__main__"])
print(function())
