"""As deep as python's default limit lets a script go, nearly."""
import sys


def down(depth):
    return depth if depth == 0 else down(depth - 1)


print(sys.getrecursionlimit(), down(960))
