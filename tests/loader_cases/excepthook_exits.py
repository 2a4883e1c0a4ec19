"""A hook that exits with a status of its own."""
import sys


def hook(kind, value, trace):
    print("exiting for", kind.__name__)
    sys.exit(7)


sys.excepthook = hook
raise KeyboardInterrupt if sys.argv[1:] else ValueError("seven")
