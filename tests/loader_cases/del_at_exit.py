"""Objects that die with the interpreter, and still need their module."""
import math
import sys

PREFIX = "bye"


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(PREFIX, self.name, math.pi, flush=True)


kept = Noisy("global")
loop = [Noisy("cycle")]
loop.append(loop)
_private = Noisy("private")
if sys.argv[1:] == ["raise"]:
    raise ValueError("with a live frame")
if sys.argv[1:] == ["exit"]:
    sys.exit(2)
