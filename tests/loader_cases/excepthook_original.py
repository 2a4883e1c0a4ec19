"""The hook it finds is python's own."""
import sys

print(sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__)
