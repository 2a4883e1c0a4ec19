"""A hook of its own, which sees the error as python hands it over."""
import sys
import traceback


def hook(kind, value, trace):
    print("hook:", kind.__name__, value, [frame.name for frame in traceback.extract_tb(trace)])
    print(sys.last_value is value, value.__traceback__ is trace, sys.exc_info())


def fail():
    raise ValueError("for the hook")


sys.excepthook = hook
fail()
