"""Ctrl-C: the interpreter finishes, then dies of the signal."""
import atexit
import os
import signal
import sys

atexit.register(print, "exit handler")


class Special(KeyboardInterrupt):
    pass


def wait():
    try:
        if sys.argv[1:] == ["subclass"]:
            raise Special
        if sys.argv[1:] == ["raise"]:
            raise KeyboardInterrupt("by hand")
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("finally")


if sys.argv[1:] == ["hook"]:
    sys.excepthook = lambda *error: print("hook", error[0].__name__)
wait()
