"""Deprecations are shown in `__main__`, and only there."""
import warnings

import helper

warnings.warn("old", DeprecationWarning)


def use():
    warnings.warn("called from here", DeprecationWarning, stacklevel=2)


use()
helper.deprecated()
helper.deprecated_inside()
for _ in range(2):
    warnings.warn("once a line", UserWarning)
