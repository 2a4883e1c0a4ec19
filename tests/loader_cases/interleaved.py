"""Writes to both streams in turn."""
import sys

print("out 1")
print("err 1", file=sys.stderr)
print("out 2")
sys.excepthook = lambda *error: sys.stderr.write("hook\n")
if sys.argv[1:] == ["exit"]:
    sys.exit("message")
if sys.argv[1:] == ["raise"]:
    raise ValueError("no flush but python's own")
