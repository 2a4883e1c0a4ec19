"""Takes itself out of the module table."""
import gc
import sys

value = "still here"
del sys.modules["__main__"]
gc.collect()


def function():
    return value


print(function(), __name__)
