"""Leaves through finally blocks and context managers."""
import contextlib
import sys


@contextlib.contextmanager
def resource():
    print("open")
    try:
        yield
    finally:
        print("close", sys.exc_info()[0])


with resource():
    try:
        for step in range(3):
            if step == 1:
                break
        raise LookupError(step)
    finally:
        print("finally")
