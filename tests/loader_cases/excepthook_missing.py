"""There is no hook at all."""
import sys

del sys.excepthook
raise ValueError("nobody to tell")
