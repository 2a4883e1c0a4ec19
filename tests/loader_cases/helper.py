"""What other cases import from beside them."""
import warnings

name = __name__


def deprecated():
    warnings.warn("of the caller", DeprecationWarning, stacklevel=2)


def deprecated_inside():
    warnings.warn("not shown", DeprecationWarning)


def fail():
    raise RuntimeError("in a helper")
