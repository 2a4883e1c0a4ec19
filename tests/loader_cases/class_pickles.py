"""Classes and functions of `__main__` by name."""
import copy
import pickle
import sys


class Point:
    def __init__(self, x):
        self.x = x


def double(x):
    return 2 * x


print(pickle.loads(pickle.dumps(Point(3))).x, pickle.loads(pickle.dumps(double))(4))
print(Point.__module__, double.__module__, copy.deepcopy(Point(5)).x)
print(sys.modules["__main__"].Point is Point, sys.modules["__main__"].__dict__ is globals())
