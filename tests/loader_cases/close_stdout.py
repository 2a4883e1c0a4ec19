"""Writes to a reader that has gone."""
import sys

text = "x" * int(sys.argv[1])
print(text)
if sys.argv[2:] == ["flush"]:
    sys.stdout.flush()
